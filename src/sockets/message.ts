import type { Environment } from "../runtime/environment.ts";

/** What can be sent as one part of a message; anything else is sent as its text, as zeromq.js does. */
export type MessageLike = ArrayBufferView | ArrayBufferLike | string | number | boolean | bigint | null;

/**
 * A received message: one Buffer per frame. Most share their memory with what came before and after, in chunks of up to
 * 64 KiB, and it lives as long as any of them: copy what is kept for long. Over inproc it is the memory that was sent.
 */
export type Message = Buffer[];

/** The parts of a message to be sent. Bytes are not copied here. @throws {TypeError} when there is no message. */
export function toParts(
  message: MessageLike | readonly MessageLike[],
  environment: Environment,
): readonly Uint8Array[] {
  if (message === undefined) throw new TypeError("Message must be present");
  if (!Array.isArray(message)) return [toPart(message as MessageLike, environment)];
  for (let i = 0; i < message.length; i += 1) {
    if (!(message[i] instanceof Uint8Array))
      return message.map((part) => toPart(part as MessageLike, environment));
  }
  // The list is the caller's, who may change it while the message waits.
  return message.slice() as Uint8Array[];
}

function toPart(value: MessageLike, environment: Environment): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return environment.encodeText(value);
  if (value === null) return EMPTY;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer || isSharedArrayBuffer(value)) return new Uint8Array(value);
  return environment.encodeText(typeof value === "symbol" ? cannotConvert() : String(value));
}

const EMPTY = new Uint8Array(0);

function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer;
}

function cannotConvert(): never {
  throw new TypeError("Cannot convert a Symbol value to a string");
}
