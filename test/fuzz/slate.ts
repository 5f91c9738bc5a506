import type { Case } from "./fuzzer.ts";
import { MAX_INPUT } from "./mutate.ts";
import { TARGETS, type TargetName } from "./targets.ts";

export interface Job {
  seed: number;
  /** In ms since 1970. */
  until: number;
  inputs: number;
  slate: SharedArrayBuffer;
}

const NAMES = Object.keys(TARGETS) as TargetName[];
const HEAD = 8;

/** What a worker is at, in memory that can be read when the worker no longer answers. */
export class Slate {
  readonly memory: SharedArrayBuffer;
  readonly #head: Uint32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(HEAD * 4 + MAX_INPUT)) {
    this.memory = memory;
    this.#head = new Uint32Array(memory, 0, HEAD);
    this.#bytes = new Uint8Array(memory, HEAD * 4);
  }

  write({ target, choice, cuts, bytes }: Case): void {
    this.#head[0] = (this.#head[0] as number) + 1;
    this.#head[1] = NAMES.indexOf(target);
    this.#head[2] = choice;
    this.#head[3] = cuts;
    this.#head[4] = bytes.length;
    this.#bytes.set(bytes);
  }

  news(count: number, signatures: number): void {
    this.#head[5] = count;
    this.#head[6] = signatures;
  }

  /** Changes with each input. */
  get pulse(): number {
    return this.#head[0] as number;
  }

  get count(): number {
    return this.#head[5] as number;
  }

  get signatures(): number {
    return this.#head[6] as number;
  }

  read(): Case {
    const [, target, choice, cuts, size] = this.#head as unknown as number[];
    const bytes = this.#bytes.slice(0, size as number);
    return {
      target: NAMES[target as number] as TargetName,
      choice: choice as number,
      cuts: cuts as number,
      bytes,
    };
  }
}
