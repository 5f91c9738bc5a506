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
  while (received < count) {
    const messages = await socket.receiveBatch();
    received += messages.length;
    if (received >= watch.mark) {
      watch.note(received);
      const last = messages.at(-1).at(-1);
      if (last.length !== settings.size) throw new Error(`a body of ${last.length} bytes`);
    }
  }
  watch.finish(received);
}
