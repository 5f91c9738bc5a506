import { finishRoundTrips, nextRound, say, settings } from "./control.mjs";
import { dial, messageBytes } from "./net.mjs";

const socket = await dial(settings.addresses[0]);
const message = messageBytes();
let nanoseconds = new Float64Array(0);
let done = 0;
let bytes = 0;
let started = 0n;

function ask() {
  bytes = 0;
  started = process.hrtime.bigint();
  socket.write(message);
}

socket.on("data", (chunk) => {
  bytes += chunk.length;
  if (bytes < message.length) return;
  nanoseconds[done++] = Number(process.hrtime.bigint() - started);
  if (done < nanoseconds.length) ask();
  else finishRoundTrips(nanoseconds);
});
say("ready");

for (;;) {
  nanoseconds = new Float64Array(await nextRound());
  done = 0;
  say("go");
  ask();
}
