/** What can be subscribed to: channels (SUBSCRIBE), patterns (PSUBSCRIBE), shard channels (SSUBSCRIBE). */
export type ChannelKind = "channel" | "pattern" | "shard";

/** Text stands for its UTF-8 bytes. */
export type ChannelName = string | Uint8Array;

interface KindCommands {
  readonly subscribe: string;
  readonly unsubscribe: string;
}

export const COMMANDS: Readonly<Record<ChannelKind, KindCommands>> = {
  channel: { subscribe: "SUBSCRIBE", unsubscribe: "UNSUBSCRIBE" },
  pattern: { subscribe: "PSUBSCRIBE", unsubscribe: "PUNSUBSCRIBE" },
  shard: { subscribe: "SSUBSCRIBE", unsubscribe: "SUNSUBSCRIBE" },
};

export const KINDS: readonly ChannelKind[] = ["channel", "pattern", "shard"];

/**
 * A name as the key of a Map: a character for each byte, so that any bytes make a key. It is a string of its own, which keeps
 * neither the text it was made from nor received memory.
 *
 * @throws {TypeError} for what is neither text nor bytes.
 */
export function keyOf(name: ChannelName): string {
  if (typeof name === "string") return Buffer.from(name, "utf8").toString("latin1");
  if (name instanceof Uint8Array) return keyOfBytes(name);
  throw new TypeError("a channel must be a string or bytes");
}

export function keyOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer.toString("latin1");
}

export function bytesOf(key: string): Buffer {
  return Buffer.from(key, "latin1");
}
