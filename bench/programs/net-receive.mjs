import { nextRound, onStop, say, settings, Watch } from "./control.mjs";
import { dial, messageBytes } from "./net.mjs";

const socket = await dial(settings.addresses[0]);
const messageLength = messageBytes().length;
let bytes = 0;
let wanted = 0;
let watch = null;
onStop(() => Math.floor(bytes / messageLength));

socket.on("data", (chunk) => {
  if (bytes === 0) watch.note(chunk.length / messageLength);
  bytes += chunk.length;
  if (bytes === wanted) watch.finish(wanted / messageLength);
});
say("ready");

for (;;) {
  const count = await nextRound();
  bytes = 0;
  wanted = count * messageLength;
  watch = new Watch(count);
}
