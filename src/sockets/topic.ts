import type { Environment } from "./context/environment.ts";

/** The bytes of a topic as a caller gives it; bytes are not copied. @throws {TypeError} for what is neither text nor bytes. */
export function toTopic(prefix: string | Uint8Array, environment: Environment): Uint8Array {
  if (typeof prefix === "string") return environment.encodeText(prefix);
  if (prefix instanceof Uint8Array) return prefix;
  throw new TypeError("Topic must be a string or buffer");
}

/** Those of a list; no topic at all stands for the empty one, which is a prefix of everything. */
export function toTopics(prefixes: readonly (string | Uint8Array)[], environment: Environment): Uint8Array[] {
  return (prefixes.length === 0 ? [""] : prefixes).map((prefix) => toTopic(prefix, environment));
}
