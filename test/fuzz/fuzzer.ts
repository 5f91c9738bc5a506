import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { generated, kept } from "./seeds.ts";
import { type Input, TARGETS, type TargetName } from "./targets.ts";

/** How often each target has its turn. */
const TURNS: readonly TargetName[] = [
  ...Array<TargetName>(5).fill("traffic"),
  ...Array<TargetName>(3).fill("handshake"),
  ...Array<TargetName>(2).fill("session"),
  ...Array<TargetName>(2).fill("metadata"),
  ...Array<TargetName>(2).fill("decoder"),
  ...Array<TargetName>(2).fill("resp"),
  "command",
  "greeting",
];
/** Of inputs in memory for each target, and of signatures that are known. */
const MAX_CORPUS = 256;
const MAX_SIGNATURES = 100_000;
/** After so many inputs of a target the generators bring some new ones. */
const REFRESH = 4000;
const REFRESHED = 8;

export interface Case extends Input {
  target: TargetName;
}

/**
 * Changes inputs that are known to do something, and keeps those that do something new. All of it comes from the seed.
 *
 * "Something new" is a signature that was not seen before: the kinds of what came out, roughly how many, and the rule broken.
 */
export class Fuzzer {
  count = 0;
  readonly #random: Random;
  readonly #pools = new Map<TargetName, Pool>();

  constructor(seed: number) {
    this.#random = new Random(seed);
    for (const target of Object.keys(TARGETS) as TargetName[]) {
      const pool = new Pool();
      for (const bytes of [...kept(target), ...generated(target, 40, this.#random.next() | 0)])
        pool.inputs.push(bytes);
      this.#pools.set(target, pool);
    }
  }

  /** Ways to behave that were seen so far. */
  get signatures(): number {
    return [...this.#pools.values()].reduce((sum, { seen }) => sum + seen.size, 0);
  }

  /** The next input. `tell` it what `run` gave. */
  next(): Case {
    const random = this.#random;
    const target = random.pick(TURNS);
    const pool = this.#pools.get(target) as Pool;
    if (++pool.runs % REFRESH === 0) {
      for (const bytes of generated(target, REFRESHED, random.next() | 0)) pool.keep(bytes, random);
    }
    this.count += 1;
    const bytes = mutate(random.pick(pool.inputs), random.pick(pool.inputs), random);
    return { target, bytes, choice: random.below(256), cuts: random.next() };
  }

  tell({ target, bytes }: Case, signature: number): void {
    const pool = this.#pools.get(target) as Pool;
    if (pool.seen.has(signature) || pool.seen.size >= MAX_SIGNATURES) return;
    pool.seen.add(signature);
    pool.keep(bytes, this.#random);
  }
}

class Pool {
  readonly inputs: Uint8Array[] = [];
  readonly seen = new Set<number>();
  runs = 0;

  keep(bytes: Uint8Array, random: Random): void {
    const copy = bytes.slice();
    if (this.inputs.length < MAX_CORPUS) this.inputs.push(copy);
    else this.inputs[random.below(MAX_CORPUS)] = copy;
  }
}

/** @throws {Finding} when the engine broke a rule; anything else that is thrown is a finding, too. */
export function run({ target, ...input }: Case): number {
  return TARGETS[target](input);
}

/** `TARGET:CHOICE:CUTS:HEX`, for one command to run it again. */
export function spell({ target, choice, cuts, bytes }: Case): string {
  return `${target}:${choice}:${cuts}:${Buffer.from(bytes).toString("hex")}`;
}

/** @throws {Error} when it is not spelled so. */
export function readCase(spelled: string): Case {
  const [, target, choice, cuts, hex] = /^([a-z]+):(\d+):(\d+):((?:[0-9a-f]{2})*)$/.exec(spelled) ?? [];
  if (target === undefined || !(target in TARGETS)) throw new Error(`not TARGET:CHOICE:CUTS:HEX: ${spelled}`);
  const bytes = Uint8Array.from(Buffer.from(hex as string, "hex"));
  return { target: target as TargetName, choice: Number(choice), cuts: Number(cuts), bytes };
}
