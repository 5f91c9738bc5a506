/** The events of one writer on one topic, numbered 1, 2, 3... in the order in which they were written to the store. */
export interface StreamState {
  readonly writer: number;
  readonly topic: string;
  /** Different events received. */
  readonly received: number;
  readonly duplicates: number;
  /** The highest number received. */
  readonly highest: number;
  /** Numbers below `highest` that were not received, as ranges that include both ends. */
  readonly gaps: readonly (readonly [first: number, last: number])[];
  /** The newest number in the store when the read of the latest `sync` began. */
  readonly synced: number;
}

/** What became of the events that were sent. */
export interface Account {
  readonly sent: number;
  readonly received: number;
  /** Not received, but in the store before the read of a later `sync` began. */
  readonly covered: number;
  /** Neither: what a controller has missed without being told. */
  readonly uncovered: number;
  readonly duplicates: number;
}

/** One controller's account of one stream, in memory that grows with its gaps, not with its events. */
export class StreamAccount {
  readonly writer: number;
  readonly topic: string;
  #received = 0;
  #duplicates = 0;
  #highest = 0;
  #gaps: [number, number][] = [];
  #synced = 0;

  constructor(writer: number, topic: string) {
    this.writer = writer;
    this.topic = topic;
  }

  receive(n: number): void {
    if (n > this.#highest) {
      if (n > this.#highest + 1) this.#gaps.push([this.#highest + 1, n - 1]);
      this.#highest = n;
    } else if (!this.#fill(n)) {
      this.#duplicates += 1;
      return;
    }
    this.#received += 1;
  }

  /** A `sync` has begun to read the store, in which `newest` is this stream's newest number. */
  sync(newest: number): void {
    this.#synced = Math.max(this.#synced, newest);
  }

  state(): StreamState {
    return {
      writer: this.writer,
      topic: this.topic,
      received: this.#received,
      duplicates: this.#duplicates,
      highest: this.#highest,
      gaps: this.#gaps,
      synced: this.#synced,
    };
  }

  /** False: `n` is in no gap. */
  #fill(n: number): boolean {
    const index = this.#gaps.findIndex(([first, last]) => first <= n && n <= last);
    if (index === -1) return false;
    const [first, last] = this.#gaps[index]!;
    const rest: [number, number][] = [];
    if (first < n) rest.push([first, n - 1]);
    if (n < last) rest.push([n + 1, last]);
    this.#gaps.splice(index, 1, ...rest);
    return true;
  }
}

/** Numbers from one stream's state and the number of events that its writer has sent. */
export function settle(stream: StreamState, sent: number): Account {
  const missing = [...stream.gaps];
  if (stream.highest < sent) missing.push([stream.highest + 1, sent]);
  let covered = 0;
  let uncovered = 0;
  for (const [first, last] of missing) {
    const inStore = Math.max(0, Math.min(last, stream.synced) - first + 1);
    covered += inStore;
    uncovered += last - first + 1 - inStore;
  }
  return { sent, received: stream.received, covered, uncovered, duplicates: stream.duplicates };
}

export function total(accounts: readonly Account[]): Account {
  const sum = { sent: 0, received: 0, covered: 0, uncovered: 0, duplicates: 0 };
  for (const account of accounts) {
    sum.sent += account.sent;
    sum.received += account.received;
    sum.covered += account.covered;
    sum.uncovered += account.uncovered;
    sum.duplicates += account.duplicates;
  }
  return sum;
}

/** One line of the summary. */
export interface ControllerAccount extends Account {
  readonly controller: number;
  readonly topics: readonly string[];
  /** Events on these topics whose `sendEvent` rejected. */
  readonly refused: number;
  readonly syncs: number;
  /** Rows in which its copy and the store differ. */
  readonly differences: number;
}

/** What speaks against a controller; empty: nothing. */
export function faults(account: ControllerAccount, kills: number): string[] {
  const { sent, received, covered, uncovered, syncs, differences } = account;
  const found: string[] = [];
  if (uncovered > 0) found.push(`${uncovered} events neither received nor covered by a sync`);
  if (syncs !== kills) found.push(`${syncs} syncs for ${kills} kills`);
  if (differences > 0) found.push(`its copy differs from the store in ${differences} rows`);
  if (sent !== received + covered + uncovered) {
    found.push(`${sent} sent, but ${received} + ${covered} + ${uncovered} accounted for`);
  }
  return found.map((fault) => `controller ${account.controller}: ${fault}`);
}
