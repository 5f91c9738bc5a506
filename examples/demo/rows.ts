/** An object as a writer last changed it: the `n`th event of that writer on that topic. */
export interface Row {
  readonly topic: string;
  readonly key: string;
  readonly writer: number;
  readonly n: number;
}

/** The rows of some topics at one moment, and for each writer on each of them the newest `n`. */
export interface Snapshot {
  readonly rows: readonly Row[];
  readonly newest: readonly Omit<Row, "key">[];
}

/** Rows by topic, key and writer. The store's content, and a controller's copy of it. */
export class Rows {
  readonly #rows = new Map<string, Row>();

  /** Events that are older than what is there change nothing. */
  put(row: Row): void {
    const id = identity(row);
    const present = this.#rows.get(id);
    if (present === undefined || present.n < row.n) this.#rows.set(id, row);
  }

  replace(rows: readonly Row[]): void {
    this.#rows.clear();
    for (const row of rows) this.put(row);
  }

  ofTopics(topics: readonly string[]): Row[] {
    return [...this.#rows.values()].filter((row) => topics.includes(row.topic));
  }

  /** Rows that only one of the two has, or that differ. */
  differences(rows: readonly Row[]): number {
    const there = new Map(rows.map((row) => [identity(row), row.n]));
    const ids = new Set([...this.#rows.keys(), ...there.keys()]);
    return [...ids].filter((id) => this.#rows.get(id)?.n !== there.get(id)).length;
  }
}

const identity = ({ topic, key, writer }: Row): string => `${topic}/${key}/${writer}`;
