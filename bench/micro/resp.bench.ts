import { CommandWriter, RespDecoder } from "../../src/redis-resp/index.ts";
import { nodeEnvironment } from "../../src/runtime/node.ts";
import { suite } from "./suite.ts";

const PUSHES = 1000;
const INTEGERS = 200_000;
const COMMANDS = 1000;
const environment = nodeEnvironment();

function pushOf(size: number): Buffer {
  return Buffer.from(`>3\r\n$7\r\nmessage\r\n$9\r\nchannel-1\r\n$${size}\r\n${"x".repeat(size)}\r\n`);
}

/** Decodes the same value again and again, cut into chunks as a stream would bring them. */
function decode(value: Uint8Array, times: number, chunkSize: number): () => void {
  const wire = Buffer.concat(Array.from({ length: times }, () => value));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wire.length; at += chunkSize) chunks.push(wire.subarray(at, at + chunkSize));
  return () => {
    const decoder = new RespDecoder(environment);
    let values = 0;
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (decoder.next() !== undefined) values += 1;
    }
    if (values !== times) throw new Error(`${values} values`);
  };
}

function publish(payload: string | Uint8Array): () => void {
  return () => {
    const writer = new CommandWriter(environment);
    for (let i = 0; i < COMMANDS; i++) writer.write(["PUBLISH", "channel-1", payload]);
    if (writer.size === 0) throw new Error("nothing written");
    writer.take();
  };
}

export async function run(): Promise<void> {
  await suite("RespDecoder, per push of a message", PUSHES, {
    "16 B in 64 KiB chunks": () => decode(pushOf(16), PUSHES, 65_536),
    "100 B in 64 KiB chunks": () => decode(pushOf(100), PUSHES, 65_536),
    "1 KiB in 64 KiB chunks": () => decode(pushOf(1024), PUSHES, 65_536),
    "100 B in 1448 B chunks": () => decode(pushOf(100), PUSHES, 1448),
    "100 B in 64 B chunks": () => decode(pushOf(100), PUSHES, 64),
    "100 B in 7 B chunks": () => decode(pushOf(100), PUSHES, 7),
    "100 B in 1 B chunks": () => decode(pushOf(100), PUSHES, 1),
  });
  await suite("RespDecoder, per integer", INTEGERS, {
    "replies in 64 KiB chunks": () => decode(Buffer.from(":1\r\n"), INTEGERS, 65_536),
    "one array in 1448 B chunks": () =>
      decode(Buffer.from(`*${INTEGERS}\r\n${":12345\r\n".repeat(INTEGERS)}`), 1, 1448),
  });
  await suite("CommandWriter, per PUBLISH", COMMANDS, {
    "16 B of text": () => publish("x".repeat(16)),
    "100 B of text": () => publish("x".repeat(100)),
    "1 KiB of text": () => publish("x".repeat(1024)),
    "100 B of text that is not ASCII": () => publish("é".repeat(50)),
    "16 B": () => publish(Buffer.alloc(16, "x")),
    "100 B": () => publish(Buffer.alloc(100, "x")),
    "64 KiB": () => publish(Buffer.alloc(65_536, "x")),
  });
}
