import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Pull, Push } from "../../src/sockets/index.ts";
import { trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

/** Sockets in use at a time: the first half send, the others receive. */
const SENDERS = 3;
const ALL = 6;

const step = fc.record({
  who: fc.nat(ALL - 1),
  name: fc.constantFrom("inproc://a", "inproc://b"),
  what: fc.constantFrom(
    ...["use", "use", "use", "use", "use", "use", "settle", "settle"],
    ...["connect", "connect", "bind", "bind", "undo", "close", "wait"],
  ),
  /** The high-water mark of a socket that is made in this step. */
  mark: fc.nat(3),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Run {
  readonly world = new World();
  readonly pushes: Push[] = [];
  readonly pulls: Pull[] = [];
  /** What each of the pulls received, in order. */
  readonly received = new Map<Pull, string[]>();
  /** Messages that a push took: its number and theirs. */
  readonly taken: string[] = [];
  readonly #places: (Push | Pull)[] = [];

  constructor() {
    for (let who = 0; who < ALL; who += 1) this.#open(who, 3 - (who % SENDERS));
  }

  async step({ who, what, name, mark }: Step): Promise<void> {
    const socket = this.#places[who] as Push | Pull;
    if (what === "use" && socket instanceof Push) this.#send(socket);
    else if (what === "use" && socket instanceof Pull) await this.receive(socket);
    else if (what === "settle") await this.world.settle();
    else if (what === "wait") await this.world.advance(60);
    else if (what === "connect") await allowing("EINVAL", () => socket.connect(name));
    else if (what === "bind") await allowing("EADDRINUSE", () => socket.bind(name));
    else if (what === "undo") await allowing("ENOENT", () => socket.disconnect(name));
    else if (what === "close") {
      void socket.close();
      this.#open(who, mark);
    }
  }

  /** @returns whether there was a message. */
  async receive(pull: Pull): Promise<boolean> {
    const message = await allowing("EAGAIN", () => pull.receive());
    if (message !== undefined) this.received.get(pull)?.push(String(message[0]));
    return message !== undefined;
  }

  #send(push: Push): void {
    const message = `${this.pushes.indexOf(push)}/${this.taken.length}`;
    if (push.trySend(message)) this.taken.push(message);
  }

  #open(who: number, mark: number): void {
    if (who < SENDERS) {
      const push = this.world.push({ sendHighWaterMark: mark, linger: 50 });
      this.pushes.push(push);
      this.#places[who] = push;
      return;
    }
    const pull = this.world.pull({ receiveHighWaterMark: mark, receiveTimeout: 0 });
    this.pulls.push(pull);
    this.received.set(pull, []);
    this.#places[who] = pull;
  }
}

/** What a call gives, or undefined when it fails with this code. */
async function allowing<T>(code: string, call: () => T): Promise<Awaited<T> | undefined> {
  try {
    return await call();
  } catch (error) {
    if ((error as { code?: string }).code !== code) throw error;
    return undefined;
  }
}

function sum(sockets: readonly (Push | Pull)[], name: "sent" | "received" | "dropped" | "queued"): number {
  return sockets.reduce((total, socket) => total + socket.stats()[name], 0);
}

describe("inproc: random sends, receives, binds, connects and ends (EP-7, EP-9, EP-10)", () => {
  it("nothing is lost that is not counted, and nothing comes twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const run = new Run();
        for (const one of steps) await run.step(one);
        await run.world.settle();
        const open = run.pulls.filter((pull) => !pull.closed);
        for (const pull of open) while (await run.receive(pull)) await run.world.settle();

        const all = [...run.received.values()].flat();
        expect(new Set(all).size).toBe(all.length);
        expect(all.filter((message) => !run.taken.includes(message))).toEqual([]);
        // Every message is in one place: with the application, dropped, with who sends it, or unread at one that was closed.
        const { pushes, pulls, taken } = run;
        expect(all.length + sum(pushes, "dropped") + sum(pushes, "queued") + sum(pulls, "queued")).toBe(
          taken.length,
        );
        expect(sum(pushes, "sent")).toBe(sum(pulls, "received"));
        expect(sum(open, "queued")).toBe(0);

        const closed = Promise.all([...pushes, ...pulls].map((socket) => socket.close()));
        await run.world.advance(100);
        await closed;
        expect(run.world.context.inproc.size).toEqual({ bound: 0, waiting: 0 });
        expect(run.world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
        expect(sum(pushes, "sent") + sum(pushes, "dropped")).toBe(taken.length);
      }),
      { numRuns: 200 },
    );
  });

  const act = fc.constantFrom(
    "send",
    "send",
    "send",
    "send",
    "receive",
    "receive",
    "receive",
    "settle",
    "bind",
    "unbind",
  );
  const last = fc.constantFrom("disconnect", "close", "nothing");

  it("one connection: everything that was taken comes, in order", async () => {
    const marks = fc.tuple(fc.nat(4), fc.nat(4));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 80 }), marks, last, async (acts, [send, receive], last) => {
        const world = new World();
        const push = world.push({ sendHighWaterMark: send });
        const pull = world.pull({ receiveHighWaterMark: receive, receiveTimeout: 0 });
        push.connect("inproc://a");
        let taken = 0;
        let next = 0;
        const take = async (): Promise<boolean> => {
          const message = await allowing("EAGAIN", () => pull.receive());
          if (message !== undefined) expect(String(message[0])).toBe(String(next++));
          return message !== undefined;
        };
        for (const act of acts) {
          if (act === "send" && push.trySend(String(taken))) taken += 1;
          else if (act === "receive") await take();
          else if (act === "settle") await world.settle();
          else if (act === "bind") await allowing("EADDRINUSE", () => pull.bind("inproc://a"));
          else if (act === "unbind") await allowing("ENOENT", () => pull.unbind("inproc://a"));
        }
        if (last === "disconnect") push.disconnect("inproc://a");
        else if (last === "close") void push.close();
        await allowing("EADDRINUSE", () => pull.bind("inproc://a"));
        await world.settle();
        while (await take()) await world.settle();
        expect(next).toBe(taken);
      }),
      { numRuns: 200 },
    );
  });
});
