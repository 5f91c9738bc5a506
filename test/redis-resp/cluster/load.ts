import { expect } from "vitest";
import type { GapEvent, Subscriber } from "../../../src/redis-resp/index.ts";
import { sleep, until } from "../../support/wait.ts";

/** Between two messages of a channel. */
const PAUSE_MS = 5;

export type Kind = "channel" | "pattern" | "shard";

interface Published {
  readonly at: number;
  readonly payload: string;
}

/** Messages with a number each, published to one channel one after the other, and what of them came. */
export class Load {
  readonly channel: string;
  readonly received: Set<string> = new Set();
  /** When a gap that names the channel was told. */
  readonly gaps: { readonly at: number; readonly reason: string }[] = [];
  readonly #kind: Kind;
  readonly #published: Published[] = [];
  #isStopped = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(kind: Kind, channel: string) {
    this.#kind = kind;
    this.channel = channel;
  }

  /** Subscribes, then publishes until `stop`. @param pattern by which to subscribe, in place of the channel. */
  static async start(
    subscriber: Subscriber,
    kind: Kind,
    channel: string,
    publish: (channel: string, payload: string) => Promise<unknown>,
    pattern: string = channel,
  ): Promise<Load> {
    const load = new Load(kind, channel);
    const listener = (payload: Buffer): unknown => load.received.add(payload.toString());
    subscriber.events.on("gap", (gap) => load.#onGap(gap, pattern));
    const subscribe = { channel: "subscribe", pattern: "psubscribe", shard: "ssubscribe" } as const;
    await subscriber[subscribe[kind]](pattern, listener);
    load.#running = load.#run(publish);
    return load;
  }

  /** Waits until a message arrives that was published after now. */
  async flows(): Promise<void> {
    const now = performance.now();
    await until(
      `messages of ${this.channel} flow`,
      () => this.#published.some(({ at, payload }) => at > now && this.received.has(payload)),
      30_000,
    );
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    const last = this.#published.at(-1)!;
    await until(
      `the last message of ${this.channel}`,
      () => this.received.has(last.payload) || this.#isCovered(last),
    );
  }

  /** The rule: what was published was received, or a later gap names its channel. */
  expectCovered(): void {
    const lost = this.#published.filter((one) => !this.received.has(one.payload) && !this.#isCovered(one));
    expect(lost, `lost of ${this.channel} without a gap`).toEqual([]);
    expect(this.received.size).toBeGreaterThan(0);
  }

  #isCovered({ at }: Published): boolean {
    return this.gaps.some((gap) => gap.at > at);
  }

  #onGap(gap: GapEvent, name: string): void {
    const names = { channel: gap.channels, pattern: gap.patterns, shard: gap.shardChannels }[this.#kind];
    if (!names.some((channel) => channel.toString() === name)) return;
    this.gaps.push({ at: performance.now(), reason: gap.reason });
  }

  async #run(publish: (channel: string, payload: string) => Promise<unknown>): Promise<void> {
    for (let i = 0; !this.#isStopped; i++) {
      const at = performance.now();
      const payload = `${this.channel}:${i}`;
      // Of a publication that failed nobody knows whether it counts.
      const isPublished = await publish(this.channel, payload).then(
        () => true,
        () => false,
      );
      if (isPublished) this.#published.push({ at, payload });
      await sleep(PAUSE_MS);
    }
  }
}
