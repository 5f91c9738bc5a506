import { nextRound, say, settings } from "./control.mjs";
import { listen, messageBytes } from "./net.mjs";

const { address, accepted } = await listen(settings.addresses[0]);
say("listening", address);
const socket = await accepted;

const message = messageBytes();
const perChunk = Math.max(1, Math.floor(65536 / message.length));
const chunk = Buffer.concat(Array(perChunk).fill(message));

for (;;) {
  let left = (await nextRound()) * message.length;
  while (left > 0) {
    const taken = socket.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
    left -= chunk.length;
    if (!taken) await new Promise((resolve) => socket.once("drain", resolve));
  }
}
