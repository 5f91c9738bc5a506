import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";

/** The clients by the names that their programs know (programs/clients.mjs), and a program, with the titles of their columns. */
export const TITLES = {
  zmtp: "zmtp",
  ioredis: "ioredis",
  "ioredis-auto": "ioredis, auto-pipelining",
  "node-redis": "node-redis",
  "node-redis-0": "node-redis, timeout: 0",
  "redis-benchmark": "redis-benchmark, in C",
} as const;

export type ClientName = keyof typeof TITLES;

/** Where `timeout` and auto-pipelining say nothing: who only receives sends no commands. */
export const RECEIVERS: readonly ClientName[] = ["zmtp", "ioredis", "node-redis"];
export const SENDERS: readonly ClientName[] = [
  "zmtp",
  "ioredis",
  "ioredis-auto",
  "node-redis",
  "node-redis-0",
];

const PATIENCE = 60_000;

/** A program of this folder in a process of its own, started when it has said `word`. */
export async function startProgram(
  program: string,
  word: string,
  args: readonly (string | number)[],
  flags: readonly string[] = [],
): Promise<{ child: Child; words: string[] }> {
  const path = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  const child = new Child([program, args[0] ?? ""].join(" "), [
    process.execPath,
    ...flags,
    path,
    ...args.map(String),
  ]);
  try {
    return { child, words: await child.expect(word, PATIENCE) };
  } catch (error) {
    await child.close();
    throw error;
  }
}

/** Tells a line and gives back the numbers of the answer, which begins with the line's first word or with `word`. */
export async function ask(child: Child, line: string, word: string = line.split(" ")[0]!): Promise<number[]> {
  child.tell(line);
  return (await child.expect(word, PATIENCE)).map(Number);
}
