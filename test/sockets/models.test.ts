import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo } from "../../src/runtime/fifo.ts";
import { FanOut } from "../../src/sockets/patterns/fan-out.ts";
import { Replay } from "../../src/sockets/patterns/replay.ts";
import { Subscriptions } from "../../src/sockets/patterns/subscriptions.ts";
import type { Pipe } from "../../src/sockets/pipes/pipe.ts";
import { OutgoingMessage } from "../../src/zmtp/index.ts";
import { World } from "../support/sim-sockets.ts";
import { key, topic } from "../support/topics.ts";

const operations = fc.array(fc.record({ add: fc.boolean(), topic, probe: topic }), { maxLength: 60 });

describe("Fifo", () => {
  it("agrees with an array", () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant("push" as const) },
      { weight: 4, arbitrary: fc.constant("shift" as const) },
      { weight: 1, arbitrary: fc.nat(20) },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<{ n: number }>();
        let model: { n: number }[] = [];
        for (const [n, step] of steps.entries()) {
          if (step === "push") {
            fifo.push({ n });
            model.push({ n });
          } else if (step === "shift") expect(fifo.shift()).toEqual(model.shift());
          else if (step === "clear") {
            fifo.clear();
            model = [];
          } else {
            // Takes one out of the middle: the same object in both, found by going round.
            const items = model.map(() => fifo.shift() as { n: number });
            for (const item of items) fifo.push(item);
            const item = items[step];
            expect(fifo.remove(item ?? { n: -1 })).toBe(item !== undefined);
            if (item !== undefined) model.splice(step, 1);
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toEqual(model[0]);
        }
        expect(model.map(() => fifo.shift())).toEqual(model);
        expect(fifo.shift()).toBeUndefined();
      }),
    );
  });
});

describe("Subscriptions (PS-2: counted)", () => {
  it("agree with a list of counts", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        const subscriptions = new Subscriptions();
        const counts = new Map<string, number>();
        for (const { add, topic, probe } of steps) {
          const before = counts.get(key(topic)) ?? 0;
          if (add) {
            expect(subscriptions.add(topic) > 0).toBe(before === 0);
            counts.set(key(topic), before + 1);
          } else {
            expect(subscriptions.remove(topic) > 0).toBe(before === 1);
            if (before <= 1) counts.delete(key(topic));
            else counts.set(key(topic), before - 1);
          }
          expect(all(subscriptions).sort()).toEqual([...counts.keys()].sort());
          const matches = [...counts.keys()].some((one) => key(probe).startsWith(one));
          expect(subscriptions.matches(probe)).toBe(matches);
        }
      }),
    );
  });

  function all(subscriptions: Subscriptions): string[] {
    const topics: string[] = [];
    for (let id = subscriptions.after(0); id !== 0; id = subscriptions.after(id))
      topics.push(key(subscriptions.bytes(id)));
    return topics;
  }

  it("a replay tells each topic once, and what changes meanwhile only where it has been", () => {
    const step = fc.record({ what: fc.constantFrom("add", "add", "remove", "next", "next"), topic });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.array(topic), (steps, first) => {
        const subscriptions = new Subscriptions();
        const wanted = new Set<string>();
        const told = new Set<string>();
        for (const one of first) {
          if (!wanted.has(key(one))) subscriptions.add(one);
          wanted.add(key(one));
        }
        const replay = new Replay(subscriptions);
        const tellNext = (): boolean => {
          const next = replay.next();
          if (next === null) return false;
          expect(told.has(key(next))).toBe(false);
          told.add(key(next));
          return true;
        };
        for (const { what, topic } of steps) {
          if (what === "next") tellNext();
          else if (what === "add" && !wanted.has(key(topic))) {
            const id = subscriptions.add(topic);
            wanted.add(key(topic));
            if (!replay.isAhead(id)) told.add(key(topic));
          } else if (what === "remove" && wanted.delete(key(topic))) {
            const id = subscriptions.remove(topic);
            if (!replay.isAhead(id)) expect(told.delete(key(topic))).toBe(true);
          }
        }
        while (tellNext());
        expect([...told].sort()).toEqual([...wanted].sort());
      }),
    );
  });
});

describe("FanOut (PS-2: a set for each peer)", () => {
  const step = fc.record({
    peer: fc.nat(3),
    what: fc.constantFrom("subscribe", "cancel", "remove", "send", "send", "subscribe"),
    topic,
  });

  it("sends each message once to every peer that holds a prefix of it, and to no other", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const taken: string[][] = [[], [], [], []];
        const pipes = taken.map((list) => ({
          offer: (message: OutgoingMessage) => {
            list.push(key(message.parts[0] as Uint8Array));
            return list.length % 5 !== 0;
          },
        })) as unknown as Pipe[];
        const full: Pipe[] = [];
        const fanOut = new FanOut(new World().environment, (pipe) => full.push(pipe));
        const model = pipes.map(() => new Set<string>());
        const expected: string[][] = [[], [], [], []];
        for (const { peer, what, topic } of steps) {
          const pipe = pipes[peer] as Pipe;
          const wants = (set: Set<string>): boolean => [...set].some((one) => key(topic).startsWith(one));
          if (what === "subscribe") {
            fanOut.subscribe(pipe, topic);
            model[peer]?.add(key(topic));
          } else if (what === "cancel") {
            fanOut.cancel(pipe, topic);
            model[peer]?.delete(key(topic));
          } else if (what === "remove") {
            fanOut.remove(pipe);
            model[peer]?.clear();
          } else {
            expect(fanOut.count(topic)).toBe(model.filter(wants).length);
            fanOut.send(new OutgoingMessage([topic]));
            for (const [i, set] of model.entries()) if (wants(set)) expected[i]?.push(key(topic));
          }
        }
        expect(taken).toEqual(expected);
        const refusals = taken.map((list) => Math.floor(list.length / 5)).reduce((a, b) => a + b);
        expect(full).toHaveLength(refusals);
      }),
    );
  });
});
