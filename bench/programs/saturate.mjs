// A sender or a receiver that never stops. A round lasts for so many milliseconds, and tells of the event loop meanwhile.
//
//   saturate.mjs SETTINGS... send|try-send|receive|receive-batch
import { body, nextRound, say, settings, topic } from "./control.mjs";
import { watchLoop } from "./loop-watch.mjs";
import { newReceiver, newSender } from "./sockets.mjs";

/** A PUB takes every message, so a loop of `trySend` has to be left now and then. */
const RUN = 1000;
const message = settings.pattern === "pub-sub" ? [topic, body] : body;
let count = 0;

const ways = {
  async send(socket) {
    for (;;) {
      await socket.send(message);
      count++;
    }
  },
  async "try-send"(socket) {
    for (;;) {
      for (let i = 1; i < RUN && socket.trySend(message); i++) count++;
      await socket.send(message);
      count++;
    }
  },
  async receive(socket) {
    for await (const _ of socket) count++;
  },
  async "receive-batch"(socket) {
    for (;;) {
      const messages = await socket.receiveBatch();
      count += messages.length;
    }
  },
};

const name = process.argv[8];
const isSender = name === "send" || name === "try-send";
const socket = isSender ? newSender() : newReceiver();
if (isSender) {
  await socket.bind(settings.addresses[0]);
  say("listening", socket.lastEndpoint);
} else {
  socket.connect(settings.addresses[0]);
  say("ready");
}
void ways[name](socket);

for (;;) {
  const milliseconds = await nextRound();
  count = 0;
  const figures = await watchLoop(milliseconds);
  const counted = count;
  say("done", counted, ...figures);
}
