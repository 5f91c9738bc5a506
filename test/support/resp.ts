import {
  type DecoderOptions,
  ReplyError,
  RespDecoder,
  RespError,
  RespPush,
  type RespValue,
} from "../../src/redis-resp/index.ts";
import { byteByByte, cut } from "./chunks.ts";

export { utf8 } from "../generators/bytes.ts";

export interface DecodeOptions extends DecoderOptions {
  arraysArePushes?: boolean;
}

export interface Decoded {
  values: (RespValue | RespPush)[];
  /** What ended the stream, without the excerpt, which holds as much as had come. */
  error: { reason: string; offset: number } | null;
  isPartial: boolean;
}

/** Pushes one chunk after the other and takes all that comes. Throws what is no RespError. */
export function decode(chunks: readonly Uint8Array[], options: DecodeOptions = {}): Decoded {
  const decoder = new RespDecoder(options);
  decoder.arraysArePushes = options.arraysArePushes === true;
  const values: Decoded["values"] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let value = decoder.next(); value !== undefined; value = decoder.next()) values.push(value);
    }
  } catch (error) {
    if (!(error instanceof RespError)) throw error;
    const reason = error.message.replace(/, at byte.*/, "");
    return { values, error: { reason, offset: error.offset }, isPartial: false };
  }
  return { values, error: null, isPartial: decoder.isPartial };
}

/** How bytes can come: at once, byte by byte, and in two chunks cut at every place. */
export function everyCut(bytes: Uint8Array): Uint8Array[][] {
  const halves = Array.from({ length: bytes.length }, (_, at) => cut(bytes, [at]));
  return [[bytes.slice()], byteByByte(bytes), ...halves];
}

/** A value as text that shows all of it, for comparing: bytes and errors apart from text, -0 from 0, a map from an array. */
export function spelled(value: RespValue | RespPush): string {
  if (value instanceof RespPush) return `push ${value.kind} ${spelled(value.items)}`;
  if (value instanceof Uint8Array) return `<${Buffer.from(value).toString("latin1")}>`;
  if (value instanceof ReplyError) return `${value.code} (${value.message})`;
  if (Array.isArray(value)) return `[${Array.from(value, spelled).join(", ")}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, item]) => `${spelled(key)}: ${spelled(item)}`).join(", ")}}`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}
