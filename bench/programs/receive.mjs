import { nextRound, onStop, say, settings, Watch } from "./control.mjs";
import { newReceiver } from "./sockets.mjs";

const socket = newReceiver();
socket.connect(settings.addresses[0]);
say("ready");
let received = 0;
onStop(() => received);

for (;;) {
  const count = await nextRound();
  const watch = new Watch(count);
  received = 0;
  for await (const parts of socket) {
    received += 1;
    if (received >= watch.mark) {
      watch.note(received);
      if (parts.at(-1).length !== settings.size) throw new Error(`a body of ${parts.at(-1).length} bytes`);
    }
    if (received === count) break;
  }
  watch.finish(received);
}
