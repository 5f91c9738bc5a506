import { parseArgs } from "node:util";

export interface SoakOptions {
  minutes: number;
  seed: number;
}

/** @throws {Error} for an unknown option or what is no number. */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { minutes: { type: "string", default: "2" }, seed: { type: "string" } },
  });
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
  if (!(minutes > 0)) throw new Error(`--minutes: not a number above 0: ${values.minutes}`);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed: not an integer: ${values.seed}`);
  return { minutes, seed };
}

/** Numbers in [0, 1) by mulberry32: the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
