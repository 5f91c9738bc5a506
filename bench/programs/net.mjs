// Addresses and bytes for bare node:net: what can be reached with no protocol work at all.
import { connect, createServer } from "node:net";
import { body, settings, topic } from "./control.mjs";

function place(address) {
  if (address.startsWith("ipc://")) return { path: address.slice("ipc://".length) };
  const [host, port] = address.slice("tcp://".length).split(":");
  return { host, port: port === "*" ? 0 : Number(port) };
}

/** Resolves with the address bound and a promise of the first connection. */
export async function listen(address) {
  const server = createServer({ noDelay: true });
  const accepted = new Promise((resolve) => server.once("connection", resolve));
  await new Promise((resolve, reject) => server.on("error", reject).listen(place(address), resolve));
  const bound = server.address();
  return { address: typeof bound === "string" ? address : `tcp://127.0.0.1:${bound.port}`, accepted };
}

export function dial(address) {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...place(address), noDelay: true }, () => resolve(socket));
    socket.on("error", reject);
  });
}

/** A frame as ZMTP 3.1 has it on the wire. */
function frame(part, more) {
  if (part.length <= 255) return Buffer.concat([Buffer.from([more ? 1 : 0, part.length]), part]);
  const header = Buffer.alloc(9);
  header[0] = more ? 3 : 2;
  header.writeBigUInt64BE(BigInt(part.length), 1);
  return Buffer.concat([header, part]);
}

/** The bytes of one message of the cell. */
export function messageBytes() {
  return settings.pattern === "pub-sub"
    ? Buffer.concat([frame(topic, true), frame(body, false)])
    : frame(body, false);
}
