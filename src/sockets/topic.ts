import { ZmqError } from "../errors.ts";
import type { Environment } from "../runtime/environment.ts";

/** The longest topic, in bytes: the place of a fork in a trie has to fit a record's field. */
export const LONGEST_TOPIC: number = 2 ** 27 - 1;

/**
 * The bytes of a topic as a caller gives it; bytes are not copied.
 * @throws {TypeError} for what is neither text nor bytes. @throws {ZmqError} EINVAL for one of 128 MiB or more.
 */
export function toTopic(prefix: string | Uint8Array, environment: Environment): Uint8Array {
  if (typeof prefix !== "string" && !(prefix instanceof Uint8Array))
    throw new TypeError("Topic must be a string or buffer");
  const topic = typeof prefix === "string" ? environment.encodeText(prefix) : prefix;
  if (topic.length > LONGEST_TOPIC)
    throw new ZmqError("EINVAL", `A topic has at most ${LONGEST_TOPIC} bytes`);
  return topic;
}

/** Those of a list; no topic at all stands for the empty one, which is a prefix of everything. */
export function toTopics(prefixes: readonly (string | Uint8Array)[], environment: Environment): Uint8Array[] {
  return (prefixes.length === 0 ? [""] : prefixes).map((prefix) => toTopic(prefix, environment));
}

/**
 * What a topic takes to be told, taken in or forgotten: 1, and as much for each KiB. So what is done in one turn of the event
 * loop is little, however long the topics are.
 */
export function effort(topic: Uint8Array): number {
  return 1 + (topic.length >>> 10);
}
