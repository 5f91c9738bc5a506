import { Connection, type SocketType } from "../../src/zmtp/index.ts";
import { suite } from "./suite.ts";

const MESSAGES = 1000;
const CHUNK = 65_536;
const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);

function connection(socketType: SocketType): Connection {
  return new Connection({ socketType, now: 0, allocate });
}

/** Hands what one says to the other, and drops its events. */
function pass(from: Connection, to: Connection): void {
  for (const chunk of from.output()) to.push(chunk);
  while (to.next() !== null);
}

/** Both ends after the handshake. */
function connected(): { push: Connection; pull: Connection } {
  const [push, pull] = [connection("PUSH"), connection("PULL")];
  for (let n = 0; n < 3; n += 1) {
    pass(push, pull);
    pass(pull, push);
  }
  if (push.stage !== "traffic" || pull.stage !== "traffic") throw new Error("no handshake");
  return { push, pull };
}

function partsOf(frames: number, size: number): Uint8Array[] {
  return Array.from({ length: frames }, () => new Uint8Array(size));
}

/** From the parts of a message to the chunks for the stream. */
function send(frames: number, size: number): () => void {
  const { push } = connected();
  const parts = partsOf(frames, size);
  return () => {
    for (let n = 0; n < MESSAGES; n += 1) push.send(parts);
    if (push.output().length === 0) throw new Error("nothing to write");
  };
}

/** From the chunks of the stream to messages. */
function receive(frames: number, size: number, chunkSize = CHUNK): () => void {
  const { push, pull } = connected();
  const parts = partsOf(frames, size);
  for (let n = 0; n < MESSAGES; n += 1) push.send(parts);
  const wire = Buffer.concat(push.output());
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wire.length; at += chunkSize) chunks.push(wire.subarray(at, at + chunkSize));
  return () => {
    let messages = 0;
    for (const chunk of chunks) {
      pull.push(chunk);
      for (let event = pull.next(); event !== null; event = pull.next()) {
        if (event.type === "message") messages += 1;
      }
    }
    if (messages !== MESSAGES) throw new Error(`${messages} messages`);
  };
}

export async function run(): Promise<void> {
  await suite("Connection, from send() to output(), per message", MESSAGES, {
    "1 frame of 16 B": () => send(1, 16),
    "1 frame of 100 B": () => send(1, 100),
    "1 frame of 1 KiB": () => send(1, 1024),
    "2 frames of 16 B": () => send(2, 16),
    "2 frames of 100 B": () => send(2, 100),
  });
  await suite("Connection, from push() to next(), 64 KiB chunks, per message", MESSAGES, {
    "1 frame of 16 B": () => receive(1, 16),
    "1 frame of 100 B": () => receive(1, 100),
    "1 frame of 1 KiB": () => receive(1, 1024),
    "2 frames of 16 B": () => receive(2, 16),
    "2 frames of 100 B": () => receive(2, 100),
    "1 frame of 64 KiB": () => receive(1, 65_536),
    "1 frame of 100 B, 1460 B chunks": () => receive(1, 100, 1460),
  });
}
