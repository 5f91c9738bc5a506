import fc from "fast-check";
import { expect, it } from "vitest";
import { command, drain, message, type RawPeer, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

/** RFC 29 and libzmq, as plain as can be: who holds what, and what the application hears of it. */
class Model {
  readonly told: string[] = [];
  readonly #held = new Map<number, Set<string>>();
  readonly #verbosity: string | null;
  readonly #manual: boolean;

  constructor(mode: string | null) {
    this.#manual = mode === "manual";
    this.#verbosity = this.#manual ? "allSubsUnsubs" : mode;
  }

  holders(topic: string): number[] {
    return [...this.#held].filter(([, topics]) => topics.has(topic)).map(([peer]) => peer);
  }

  subscribe(peer: number, topic: string): void {
    if (this.#verbosity !== null || this.holders(topic).length === 0) this.told.push(`+${topic}`);
    this.#held.set(peer, (this.#held.get(peer) ?? new Set()).add(topic));
  }

  cancel(peer: number, topic: string): void {
    this.#held.get(peer)?.delete(topic);
    if (this.#verbosity === "allSubsUnsubs" || this.holders(topic).length === 0) this.told.push(`-${topic}`);
  }

  leave(peer: number): void {
    const topics = [...(this.#held.get(peer) ?? [])];
    this.#held.delete(peer);
    const last = topics.filter((topic) => this.holders(topic).length === 0);
    for (const topic of this.#verbosity === "allSubsUnsubs" ? topics : last) this.told.push(`-${topic}`);
  }

  /** What each peer gets of a message. In manual mode nobody was subscribed by the application. */
  receivers(text: string): number[] {
    if (this.#manual) return [];
    return [...this.#held]
      .filter(([, topics]) => [...topics].some((topic) => text.startsWith(topic)))
      .map(([peer]) => peer)
      .sort();
  }
}

const PEERS = 3;
const topic = fc.constantFrom("", "a", "ab", "b", "ba");
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ what: fc.constantFrom("subscribe", "cancel"), topic }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("leave"), topic }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("publish", "read"), topic }) },
);
const steps = fc.array(fc.tuple(fc.nat(PEERS - 1), step, fc.boolean()), { maxLength: 40 });
const modes = fc.constantFrom(null, "allSubs", "allSubsUnsubs", "manual");

it("PS-2, PS-3, PS-4, PS-5: what an XPUB hears and sends agrees with a plain model, in every mode", async () => {
  await fc.assert(
    fc.asyncProperty(modes, steps, async (mode, steps) => {
      const world = new World();
      const publisher = world.xpublisher(
        mode === "manual" ? { manual: true } : { verbosity: mode as "allSubs" | null },
      );
      await world.bind(publisher);
      const join = async (): Promise<RawPeer> => {
        const peer = (await world.dialRaw("sim://a")).greet("SUB");
        await world.settle();
        peer.take();
        return peer;
      };
      const peers = await Promise.all(Array.from({ length: PEERS }, join));
      const model = new Model(mode);
      const heard: string[] = [];
      const read = async (): Promise<void> => {
        for (const text of await drain(publisher)) heard.push(text.replace("\x01", "+").replace("\0", "-"));
      };
      for (const [n, { what, topic }, asMessage] of steps) {
        const peer = peers[n] as RawPeer;
        if (what === "subscribe") {
          peer.write(asMessage ? message(`\x01${topic}`) : command("SUBSCRIBE", topic));
          model.subscribe(n, topic);
        } else if (what === "cancel") {
          peer.write(asMessage ? message(`\0${topic}`) : command("CANCEL", topic));
          model.cancel(n, topic);
        } else if (what === "leave") {
          peer.stream.reset();
          model.leave(n);
          await world.settle();
          peers[n] = await join();
        } else if (what === "read") await read();
        else {
          publisher.trySend(topic);
          await world.settle();
          const got = peers.flatMap((one, i) => (one.take().length > 0 ? [i] : []));
          expect(got).toEqual(model.receivers(topic));
        }
        await world.settle();
      }
      await read();
      expect(heard).toEqual(model.told);
      await world.run(publisher.close());
      expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
    }),
    { numRuns: 100 },
  );
});
