/**
 * Arbitraries (fast-check) for what goes over a ZMTP 3 connection: good, odd but good, and broken, with what each must do.
 * They know the public engine and nothing else of this project, so that others can test their own peers with them.
 */
export * from "./bytes.ts";
export * from "./chunkings.ts";
export * from "./commands.ts";
export * from "./frames.ts";
export * from "./greetings.ts";
export * from "./metadata.ts";
export * from "./peers.ts";
export * from "./sessions.ts";
