import { encodeMessage, FrameDecoder, OutgoingMessage, OutputQueue } from "../../src/zmtp/index.ts";
import { suite } from "./suite.ts";

const MESSAGES = 1000;
const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);
const topic = new Uint8Array(5);

function partsOf(size: number): Uint8Array[] {
  return [topic, new Uint8Array(size)];
}

/** Decodes messages of two frames, cut into chunks as a stream would bring them. */
function decode(size: number, chunkSize: number): () => void {
  const message = encodeMessage(partsOf(size));
  const wire = Buffer.concat(Array.from({ length: MESSAGES }, () => message));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < wire.length; at += chunkSize) chunks.push(wire.subarray(at, at + chunkSize));
  return () => {
    const decoder = new FrameDecoder({}, allocate);
    let frames = 0;
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (decoder.next() !== null) frames += 1;
    }
    if (frames !== 2 * MESSAGES) throw new Error(`${frames} frames`);
  };
}

/** Encodes messages of two frames into the chunks that a stream would be given. */
function encode(size: number): () => void {
  const parts = partsOf(size);
  const length = MESSAGES * encodeMessage(parts).length;
  return () => {
    const output = new OutputQueue(allocate);
    for (let i = 0; i < MESSAGES; i++) output.append(new OutgoingMessage(parts).wire(allocate));
    if (output.length !== length) throw new Error(`${output.length} bytes`);
    output.take();
  };
}

export async function run(): Promise<void> {
  await suite("FrameDecoder, per message of two frames", MESSAGES, {
    "16 B in 64 KiB chunks": () => decode(16, 65_536),
    "100 B in 64 KiB chunks": () => decode(100, 65_536),
    "1 KiB in 64 KiB chunks": () => decode(1024, 65_536),
    "100 B in 1460 B chunks": () => decode(100, 1460),
    "100 B in 7 B chunks": () => decode(100, 7),
  });
  await suite("OutgoingMessage and OutputQueue, per message of two frames", MESSAGES, {
    "16 B": () => encode(16),
    "100 B": () => encode(100),
    "1 KiB": () => encode(1024),
    "64 KiB": () => encode(65_536),
  });
}
