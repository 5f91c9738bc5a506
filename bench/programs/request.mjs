import { body, finishRoundTrips, nextRound, say, settings } from "./control.mjs";
import { zmq } from "./sockets.mjs";

const [there, back] = settings.addresses;
const sending = settings.pattern === "pairs" ? new zmq.Push() : new zmq.Request();
const receiving = settings.pattern === "pairs" ? new zmq.Pull() : sending;
sending.connect(there);
if (back !== undefined) receiving.connect(back);
say("ready");

for (;;) {
  const count = await nextRound();
  const nanoseconds = new Float64Array(count);
  say("go");
  for (let i = 0; i < count; i++) {
    const started = process.hrtime.bigint();
    await sending.send(body);
    await receiving.receive();
    nanoseconds[i] = Number(process.hrtime.bigint() - started);
  }
  finishRoundTrips(nanoseconds);
}
