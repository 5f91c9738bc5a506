import { body, flow, nextRound, say, settings, takeAcks, topic } from "./control.mjs";
import { newSender } from "./sockets.mjs";

takeAcks();
const socket = newSender();
await socket.bind(settings.addresses[0]);
say("listening", socket.lastEndpoint);
const message = settings.pattern === "pub-sub" ? [topic, body] : body;

for (;;) {
  const count = await nextRound();
  for (let i = 0; i < count; i++) {
    if (i === flow.limit) await flow.room();
    if (!socket.trySend(message)) await socket.send(message);
  }
}
