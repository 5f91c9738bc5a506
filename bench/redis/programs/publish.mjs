// Publishes in awaited batches.  publish.mjs CLIENT PORT SIZE text|bytes
import { serve } from "../../programs/measure.mjs";
import { openPublisher } from "./clients.mjs";

const BATCH = 1000;
const [, , name, port, size, form] = process.argv;
const payload = form === "text" ? "x".repeat(Number(size)) : Buffer.alloc(Number(size), "x");
const { publish } = await openPublisher(name, Number(port));
console.log("ready");

async function round(count) {
  const usage = process.cpuUsage();
  const started = process.hrtime.bigint();
  const batch = new Array(BATCH);
  for (let left = Number(count); left > 0; left -= BATCH) {
    for (let i = 0; i < BATCH; i += 1) batch[i] = publish("bench", payload);
    await Promise.all(batch);
  }
  const nanoseconds = process.hrtime.bigint() - started;
  const { user, system } = process.cpuUsage(usage);
  return `${nanoseconds} ${user + system}`;
}

await serve({ round });
