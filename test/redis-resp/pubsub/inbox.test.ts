import { describe, expect, it } from "vitest";
import { Inbox, type InboxOptions, type ReceivedMessage } from "../../../src/redis-resp/pubsub/inbox.ts";
import { resolveInbox } from "../../../src/redis-resp/pubsub/inbox-options.ts";
import { Overflow } from "../../../src/redis-resp/pubsub/overflow.ts";
import { Subscription } from "../../../src/redis-resp/pubsub/subscription.ts";
import { trapRejections, watch } from "../../support/sim-sockets.ts";
import { Simulation } from "../../support/simulation.ts";

trapRejections();

function message(text: string): ReceivedMessage {
  return { kind: "channel", pattern: null, channel: Buffer.from("c"), payload: Buffer.from(text) };
}

function setUp(options: InboxOptions = {}) {
  const sim = new Simulation();
  const dropped: string[] = [];
  let rooms = 0;
  const inbox = new Inbox(
    sim.environment,
    resolveInbox(options),
    ({ payload }) => dropped.push(payload.toString()),
    () => {
      rooms += 1;
    },
  );
  const push = (...texts: string[]) => {
    for (const text of texts) inbox.push(message(text));
  };
  const read = async (max = 1000) =>
    (await inbox.receiveBatch({ max })).map(({ payload }) => payload.toString());
  return { sim, inbox, dropped, push, read, rooms: () => rooms };
}

describe("Inbox", () => {
  it("hands out in order: one by one, in batches, to loops", async () => {
    const { inbox, push, read } = setUp();
    push("1", "2", "3", "4", "5");
    expect((await inbox.receive()).payload.toString()).toBe("1");
    expect(await read(2)).toEqual(["2", "3"]);
    const loop = inbox.iterate();
    expect((await loop.next()).value?.payload.toString()).toBe("4");
    expect(inbox.length).toBe(1);
  });

  it("a batch that waits takes with the first what is there by then", async () => {
    const { push, read } = setUp();
    const batch = read();
    push("1", "2", "3");
    expect(await batch).toEqual(["1", "2", "3"]);
  });

  it("several that wait are served in order", async () => {
    const { inbox, push, read } = setUp();
    const [first, second] = [read(), read()];
    push("1", "2", "3");
    expect([await first, await second]).toEqual([["1"], ["2", "3"]]);
    expect(inbox.length).toBe(0);
  });

  it("a signal ends a wait; what comes later is the next reader's", async () => {
    const { inbox, push, read } = setUp();
    const controller = new AbortController();
    const waiting = inbox.receiveBatch({ signal: controller.signal });
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(inbox.receive(controller.signal)).rejects.toBe("enough");
    push("1");
    expect(await read()).toEqual(["1"]);
  });

  it("who waits keeps the process alive, until closed: EBADF, and loops end", async () => {
    const { sim, inbox, push } = setUp();
    const loop = inbox.iterate().next();
    const waiting = watch(inbox.receive());
    expect(sim.holds).toBe(2);
    inbox.close();
    expect(await loop).toEqual({ done: true, value: undefined });
    await sim.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: { code: "EBADF" } });
    expect(sim.holds).toBe(0);
    await expect(inbox.receive()).rejects.toMatchObject({ code: "EBADF" });
    expect(await inbox.iterate().next()).toMatchObject({ done: true });
    push("late");
  });

  it("full: the newest are dropped, or the oldest", async () => {
    const newest = setUp({ maxInboxMessages: 2 });
    newest.push("1", "2", "3");
    expect([newest.dropped, await newest.read()]).toEqual([["3"], ["1", "2"]]);
    const oldest = setUp({ maxInboxMessages: 2, overflow: "drop-oldest" });
    oldest.push("1", "2", "3");
    expect([oldest.dropped, await oldest.read()]).toEqual([["1"], ["2", "3"]]);
  });

  it("bytes count, with 64 for each message; one larger than the limit waits alone", async () => {
    // "c" and three bytes of payload: 68 bytes each.
    const two = setUp({ maxInboxBytes: 136 });
    two.push("111", "222", "333");
    expect(two.dropped).toEqual(["333"]);
    const large = setUp({ maxInboxBytes: 100, overflow: "drop-oldest" });
    large.push("1", "x".repeat(500));
    expect(large.dropped).toEqual(["1"]);
    large.push("2");
    expect(large.dropped).toHaveLength(2);
    expect(await large.read()).toEqual(["2"]);
  });

  it("bytes of what was read or dropped no longer count", async () => {
    for (const overflow of ["drop-newest", "drop-oldest"] as const) {
      const { push, read, dropped } = setUp({ maxInboxBytes: 136, overflow });
      for (let round = 0; round < 5; round += 1) {
        push("111", "222", "333");
        expect(await read()).toEqual(overflow === "drop-newest" ? ["111", "222"] : ["222", "333"]);
      }
      expect(dropped).toHaveLength(5);
    }
  });

  it("half empty means bytes too", async () => {
    const { push, read, rooms } = setUp({ maxInboxBytes: 400, maxInboxMessages: 100 });
    push("x", "y".repeat(200), "dropped".repeat(10));
    await read(1);
    expect(rooms()).toBe(0);
    await read(1);
    expect(rooms()).toBe(1);
  });

  it("room is told once it is half empty, once for each time it was full", async () => {
    const { push, read, rooms } = setUp({ maxInboxMessages: 4 });
    push("1", "2", "3", "4");
    await read();
    expect(rooms()).toBe(0);
    push("1", "2", "3", "4", "5", "6");
    await read(1);
    expect(rooms()).toBe(0);
    await read(1);
    expect(rooms()).toBe(1);
    await read(2);
    expect(rooms()).toBe(1);
  });

  it("options out of range are refused", () => {
    expect(() => resolveInbox({ maxInboxMessages: 0 })).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => resolveInbox({ maxInboxBytes: 1.5 })).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => resolveInbox({ overflow: "drop" as never })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    expect(() => resolveInbox({ overflow: 1 as never })).toThrow(TypeError);
    expect(() => setUp().inbox.receiveBatch({ max: 0 })).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });
});

describe("Overflow", () => {
  it("tells what was dropped once a turn, and the end of it once", async () => {
    const sim = new Simulation();
    const told: string[] = [];
    const overflow = new Overflow(sim.environment, {
      onDropped: ({ key }, count) => told.push(`${key} ${count}`),
      onOver: (subscriptions, since) => told.push(`over ${subscriptions.map(({ key }) => key)} ${since}`),
    });
    const [a, b] = [new Subscription("channel", "a"), new Subscription("channel", "b")];
    overflow.over();
    await sim.settle();
    expect(told).toEqual([]);
    overflow.dropped(a);
    overflow.dropped(a);
    overflow.dropped(b);
    await sim.settle();
    await sim.advance(10);
    overflow.dropped(a);
    overflow.over();
    await sim.settle();
    expect(told).toEqual(["a 2", "b 1", "a 1", "over a,b 1000"]);
    overflow.over();
    await sim.settle();
    expect(told).toHaveLength(4);
  });

  it("what is full again before the end was told is not over", async () => {
    const sim = new Simulation();
    const told: string[] = [];
    const overflow = new Overflow(sim.environment, {
      onDropped: () => {},
      onOver: () => told.push("over"),
    });
    overflow.dropped(new Subscription("channel", "a"));
    overflow.over();
    overflow.dropped(new Subscription("channel", "a"));
    await sim.settle();
    expect(told).toEqual([]);
  });
});
