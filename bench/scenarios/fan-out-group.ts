import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";

export const OURS: string = new URL("../../dist/index.js", import.meta.url).href;
const PATIENCE = 60_000;
/** ms for the subscriptions of fresh subscribers to arrive, and for each subscriber besides. */
const SETTLE = 500;
const SETTLE_EACH = 2;

/** A publisher's process and its subscribers' processes, as commands. */
export interface FanOutCommands {
  readonly publisher: readonly string[];
  /** How many subscribers each process has, and how it is started. */
  readonly subscribers: readonly {
    readonly count: number;
    command(address: string): readonly string[];
  }[];
}

/** What a round came to: deliveries per second, and µs of processor time of each end for one delivery. */
export interface FanOutSample {
  readonly rate: number;
  readonly cpuPublisher: number;
  readonly cpuSubscribers: number;
  /** µs of the publisher's processor time for one message. */
  readonly cpuMessage: number;
}

/** One publisher and its subscribers in a few processes. They live for all rounds and wait in between. */
export class FanOutGroup {
  /** Where the publisher is bound. */
  readonly address: string;
  readonly #publisher: Child;
  readonly #subscribers: readonly Child[];
  readonly #count: number;
  #messagesPerSecond = 100;

  private constructor(address: string, publisher: Child, subscribers: readonly Child[], count: number) {
    this.address = address;
    this.#publisher = publisher;
    this.#subscribers = subscribers;
    this.#count = count;
  }

  static async start(name: string, { publisher, subscribers }: FanOutCommands): Promise<FanOutGroup> {
    const sender = new Child(`${name} (publisher)`, publisher);
    const receivers: Child[] = [];
    try {
      const [address] = await sender.expect("listening", PATIENCE);
      let count = 0;
      for (const one of subscribers) {
        receivers.push(new Child(`${name} (subscribers)`, one.command(address!)));
        count += one.count;
      }
      await Promise.all(receivers.map((one) => one.expect("ready", PATIENCE)));
      await sleep(SETTLE + SETTLE_EACH * count);
      return new FanOutGroup(address!, sender, receivers, count);
    } catch (error) {
      await Promise.all([sender, ...receivers].map((one) => one.close()));
      throw error;
    }
  }

  /** Lets the compilers do their work, and learns how many messages fill a given time. */
  async warmUp(seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1000;
    let count = 20;
    do {
      const { rate } = await this.#round(count);
      // No rate: all came in one batch.
      const enough = rate > 0 ? (rate / this.#count) * seconds : Number.POSITIVE_INFINITY;
      if (rate > 0) this.#messagesPerSecond = rate / this.#count;
      count = Math.ceil(Math.min(count * 4, enough + 20));
    } while (performance.now() < until);
  }

  /** A round of about so many seconds. */
  async measure(seconds: number): Promise<FanOutSample> {
    const sample = await this.#round(Math.max(20, Math.ceil(this.#messagesPerSecond * seconds)));
    this.#messagesPerSecond = sample.rate / this.#count;
    return sample;
  }

  async #round(count: number): Promise<FanOutSample> {
    for (const one of this.#subscribers) one.tell(`round ${count}`);
    await Promise.all(this.#subscribers.map((one) => one.expect("go", PATIENCE)));
    this.#publisher.tell(`round ${count}`);
    const done = await Promise.all(this.#subscribers.map((one) => one.expect("done", PATIENCE)));
    this.#publisher.tell("end");
    const [cpuOfPublisher] = (await this.#publisher.expect("done", PATIENCE)).map(Number);
    const figures = done.map((words) => words.map(Number) as [cpu: number, deliveries: number, ns: number]);
    const deliveries = figures.reduce((sum, [, one]) => sum + one, 0);
    const longest = Math.max(...figures.map(([, , ns]) => ns));
    const cpuOfSubscribers = figures.reduce((sum, [cpu]) => sum + cpu, 0);
    return {
      rate: (deliveries / longest) * 1e9,
      cpuPublisher: cpuOfPublisher! / (count * this.#count),
      cpuSubscribers: cpuOfSubscribers / (count * this.#count),
      cpuMessage: cpuOfPublisher! / count,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher, ...this.#subscribers].map((one) => one.close()));
  }
}

export function programPath(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
}
