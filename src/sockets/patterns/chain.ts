import type { Records } from "./records.ts";

/** Some of many records, in the order in which they were added. A record may be in as many chains as it has fields for. */
export class Chain {
  first = 0;
  last = 0;
  readonly #records: Records;
  readonly #next: number;
  readonly #previous: number;

  /** @param next @param previous the fields that are the chain's. */
  constructor(records: Records, next: number, previous: number) {
    this.#records = records;
    this.#next = next;
    this.#previous = previous;
  }

  add(id: number): void {
    if (this.last === 0) this.first = id;
    else this.#records.set(this.last, this.#next, id);
    this.#records.set(id, this.#previous, this.last);
    this.last = id;
  }

  /** To be called while the record is there. */
  remove(id: number): void {
    const next = this.#records.get(id, this.#next);
    const previous = this.#records.get(id, this.#previous);
    if (previous === 0) this.first = next;
    else this.#records.set(previous, this.#next, next);
    if (next === 0) this.last = previous;
    else this.#records.set(next, this.#previous, previous);
  }
}
