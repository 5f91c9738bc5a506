import { nextRound, say, settings } from "./control.mjs";
import { zmq } from "./sockets.mjs";

const [there, back] = settings.addresses;
const receiving = settings.pattern === "pairs" ? new zmq.Pull() : new zmq.Reply();
const sending = settings.pattern === "pairs" ? new zmq.Push() : receiving;
await receiving.bind(there);
if (settings.pattern === "pairs") {
  await sending.bind(back);
  say("listening", receiving.lastEndpoint, sending.lastEndpoint);
} else {
  say("listening", receiving.lastEndpoint);
}

for (;;) {
  const count = await nextRound();
  for (let i = 0; i < count; i++) await sending.send(await receiving.receive());
}
