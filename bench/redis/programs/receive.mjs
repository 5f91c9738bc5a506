// Receives what somebody else publishes.  receive.mjs CLIENT PORT SIZE CHANNELS PREFIX
import { serve } from "../../programs/measure.mjs";
import { channelsOf } from "./channels.mjs";
import { openSubscriber } from "./clients.mjs";

const [, , name, port, size, channels, prefix] = process.argv;
let expected = 0;
let received = 0;
let started = 0n;
let usage;

function onMessage(payload) {
  if (received === 0) started = process.hrtime.bigint();
  received += 1;
  if (received !== expected) return;
  const nanoseconds = process.hrtime.bigint() - started;
  if (payload.length !== Number(size)) throw new Error(`a payload of ${payload.length} bytes`);
  const { user, system } = process.cpuUsage(usage);
  console.log(`done ${nanoseconds} ${user + system}`);
}

const { subscribe } = await openSubscriber(name, Number(port));
await subscribe(channelsOf(Number(channels), prefix), onMessage);
console.log("ready");

await serve({
  round(count) {
    expected = Number(count);
    received = 0;
    usage = process.cpuUsage();
    return "go";
  },
});
