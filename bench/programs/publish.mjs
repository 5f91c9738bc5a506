// One publisher for many subscribers. It waits for whoever has no room (`noDrop`), so that nothing is lost.
//
//   publish.mjs SETTINGS... [try-send|retry]
import { setImmediate as nextTurn } from "node:timers/promises";
import { body, nextRound, say, settings, topic } from "./control.mjs";
import { zmq } from "./sockets.mjs";

const socket = new zmq.Publisher({ sendHighWaterMark: settings.highWaterMark, noDrop: true });
await socket.bind(settings.addresses[0]);
say("listening", socket.lastEndpoint);
const message = [topic, body];

const ways = {
  async send(count) {
    for (let i = 0; i < count; i++) await socket.send(message);
  },
  async "try-send"(count) {
    for (let i = 0; i < count; i++) if (!socket.trySend(message)) await socket.send(message);
  },
  /** For zeromq.js, whose `send` rejects where a subscriber has no room. */
  async retry(count) {
    for (let i = 0; i < count; ) {
      try {
        await socket.send(message);
        i++;
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
        await nextTurn();
      }
    }
  },
};
const way = ways[process.argv[8] ?? "send"];

for (;;) await way(await nextRound());
