// Peers of a publisher that want none of its messages: each a bare connection with a topic of its own, so that every byte
// shows that comes after the handshake.
//
//   subscribe-others.mjs SETTINGS... PEERS
//
// Each round is answered with the number of those bytes since the last.
import { once } from "node:events";
import { connect } from "node:net";
import { nextRound, say, settings } from "./control.mjs";

const peers = Number(process.argv[8]);
const { port, hostname } = new URL(settings.addresses[0]);
let bytes = 0;

/** RFC 37, "The Greeting" and "The READY Command": 64 bytes, NULL mechanism, a SUB. */
const greeting = Buffer.alloc(64);
greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1]);
greeting.write("NULL", 12);
const ready = Buffer.from("\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB", "latin1");

/** Resolves when READY has come, and the subscription has been sent. */
async function join(topic) {
  const socket = connect({ port: Number(port), host: hostname });
  await once(socket, "connect");
  socket.write(greeting);
  socket.write(ready);
  let shaken = Buffer.alloc(0);
  await new Promise((resolve) => {
    socket.on("data", (chunk) => {
      if (shaken === null) {
        bytes += chunk.length;
        return;
      }
      shaken = Buffer.concat([shaken, chunk]);
      if (shaken.length < 66 || shaken.length < 66 + shaken[65]) return;
      bytes += shaken.length - 66 - shaken[65];
      shaken = null;
      resolve();
    });
  });
  // As a message, which every publisher takes; but libzmq not before it has sent READY.
  socket.write(Buffer.concat([Buffer.from([0, 1 + topic.length, 1]), Buffer.from(topic)]));
}

for (let i = 0; i < peers; i++) await join(`other-${i}`);
say("ready");

for (;;) {
  await nextRound();
  say("done", bytes);
  bytes = 0;
}
