import { setTimeout as sleep } from "node:timers/promises";
import type { Cell } from "./cells.ts";
import { Child, Silence } from "./child.ts";

/** One measured round. Times are the receiver's (round trips: the requester's), processor time is of the whole process. */
export interface Sample {
  /** Messages (round trips) per second. */
  rate: number;
  /** Microseconds of processor time per message, user and system: of the end that binds, and of the other. */
  cpuSender: number;
  cpuReceiver: number;
  /** Round trips only, microseconds. */
  p50?: number;
  p99?: number;
}

/** Messages did not arrive: the round does not count. */
export class LossyRound extends Error {
  readonly sent: number;
  readonly received: number;

  constructor(sent: number, received: number) {
    super(`lost ${sent - received} of ${sent} messages`);
    this.sent = sent;
    this.received = received;
  }
}

const START_PATIENCE = 10_000;
/** ms for the subscription of a fresh SUB to arrive. */
const SETTLE = 300;

/** The two processes of one contender in one cell. They live as long as the cell and wait between their rounds. */
export class Pair {
  readonly #cell: Cell;
  readonly #binds: Child;
  readonly #connects: Child;
  #messagesPerSecond = 1000;

  private constructor(cell: Cell, binds: Child, connects: Child) {
    this.#cell = cell;
    this.#binds = binds;
    this.#connects = connects;
  }

  /** @param command the command of an end, given its program's index (0 binds) and the addresses */
  static async start(
    cell: Cell,
    name: string,
    addresses: readonly string[],
    command: (end: 0 | 1, addresses: readonly string[]) => string[],
  ): Promise<Pair> {
    const binds = new Child(`${name} (bound)`, command(0, addresses));
    try {
      const bound = await binds.expect("listening", START_PATIENCE);
      const connects = new Child(`${name} (connected)`, command(1, bound), binds);
      const pair = new Pair(cell, binds, connects);
      try {
        await connects.expect("ready", START_PATIENCE);
        await sleep(SETTLE);
      } catch (error) {
        await pair.close();
        throw error;
      }
      return pair;
    } catch (error) {
      await binds.close();
      throw error;
    }
  }

  /** Lets the compilers do their work, and learns how many messages fill a given time. */
  async warmUp(seconds: number): Promise<void> {
    let count = this.#cell.window > 0 ? Math.min(500, this.#cell.window) : 500;
    const until = performance.now() + seconds * 1000;
    do {
      const { rate } = await this.#round(count, START_PATIENCE);
      this.#messagesPerSecond = rate;
      // No rate: all came in one batch.
      const enough = rate > 0 ? Math.max(rate * seconds, 500) : Number.POSITIVE_INFINITY;
      count = Math.min(count * 4, Math.ceil(enough));
    } while (performance.now() < until);
  }

  /** A round of about so many seconds, after another one that is not counted. */
  async measure(warmup: number, seconds: number): Promise<Sample> {
    const patience = START_PATIENCE + 10_000 * seconds;
    const before = await this.#round(this.#countFor(warmup), patience);
    this.#messagesPerSecond = before.rate;
    const sample = await this.#round(this.#countFor(seconds), patience);
    this.#messagesPerSecond = sample.rate;
    return sample;
  }

  #countFor(seconds: number): number {
    return Math.max(100, Math.ceil(this.#messagesPerSecond * seconds));
  }

  async #round(count: number, patience: number): Promise<Sample> {
    this.#connects.tell(`round ${count}`);
    await this.#connects.expect("go", patience);
    this.#binds.tell(`round ${count}`);
    const done = (await this.#answer(count, patience)).map(Number);
    this.#binds.tell("end");
    const [cpuOfBinds] = (await this.#binds.expect("done", patience)).map(Number);
    const cpu = { cpuSender: cpuOfBinds! / count, cpuReceiver: done[0]! / count };
    if (this.#cell.pattern !== "round-trip") return { rate: (done[1]! / done[2]!) * 1e9, ...cpu };
    return { rate: 1e9 / done[2]!, ...cpu, p50: done[2]! / 1e3, p99: done[3]! / 1e3 };
  }

  async #answer(count: number, patience: number): Promise<string[]> {
    try {
      return await this.#connects.expect("done", patience);
    } catch (error) {
      if (!(error instanceof Silence) || this.#cell.pattern === "round-trip") throw error;
      this.#connects.kill("SIGTERM");
      const [received] = await this.#connects.expect("stopped", START_PATIENCE);
      throw new LossyRound(count, Number(received));
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#binds.close(), this.#connects.close()]);
  }
}
