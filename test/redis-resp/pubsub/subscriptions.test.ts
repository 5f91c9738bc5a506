import { describe, expect, it } from "vitest";
import { ZmqError } from "../../../src/errors.ts";
import { type ChannelKind, keyOf } from "../../../src/redis-resp/pubsub/channel.ts";
import { Subscriptions } from "../../../src/redis-resp/pubsub/subscriptions.ts";
import { ModelServer } from "./model-server.ts";

const LISTENER = (): void => {};

/** Subscriptions with a server that is connected, and what became of each call. */
function setUp() {
  const refused: string[] = [];
  const moved: string[] = [];
  const subscriptions = new Subscriptions({
    onRefused: ({ key }, { code }) => refused.push(`${key} ${code}`),
    onMoved: ({ key }) => moved.push(key),
  });
  const server = new ModelServer(subscriptions);
  const outcomes: string[] = [];
  const settle = (name: string) => ({
    resolve: () => outcomes.push(`${name} resolved`),
    reject: (error: unknown) => outcomes.push(`${name} ${(error as ZmqError).code ?? String(error)}`),
  });
  const subscribe = (
    names: string[],
    { kind = "channel" as ChannelKind, listener = LISTENER, call = names.join() } = {},
  ) => subscriptions.subscribe(kind, new Set(names), listener, settle(call));
  const unsubscribe = (
    names: string[] | null,
    kind: ChannelKind = "channel",
    listener: (() => void) | null = null,
  ) =>
    subscriptions.unsubscribe(
      kind,
      names === null ? null : new Set(names),
      listener,
      settle(`un${names ?? "all"}`),
    );
  const gaps = () =>
    subscriptions.takeGaps().map(({ reason, since, subscriptions }) => ({
      reason,
      since,
      names: subscriptions.map(({ key }) => key),
    }));
  return { subscriptions, server, refused, moved, outcomes, subscribe, unsubscribe, gaps };
}

describe("Subscriptions: what is sent", () => {
  it("nothing without a connection, then all of a kind in one command", () => {
    const { server, subscribe, outcomes } = setUp();
    subscribe(["a", "b"]);
    subscribe(["c"]);
    subscribe(["p*"], { kind: "pattern" });
    expect(server.flush()).toBe(0);
    server.connect();
    server.settle();
    expect(server.seen).toEqual(["subscribe channel a b c", "subscribe pattern p*"]);
    expect(outcomes).toEqual(["a,b resolved", "c resolved", "p* resolved"]);
  });

  it("500 channels in a command at most, the next when the last is answered", () => {
    const { server, subscribe, subscriptions } = setUp();
    subscribe(Array.from({ length: 1201 }, (_, i) => `c${i}`));
    server.connect();
    expect(server.flush()).toBe(1);
    expect(server.flush()).toBe(0);
    server.settle();
    expect(server.seen.map((command) => command.split(" ").length - 2)).toEqual([500, 500, 201]);
    expect(server.has.channel.size).toBe(1201);
    expect(subscriptions.count("channel")).toBe(1201);
  });

  it("a channel that is there already is not asked for again; one named twice counts once", () => {
    const { server, subscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a", "a"]);
    server.settle();
    subscribe(["a"], { listener: () => {}, call: "again" });
    server.settle();
    expect(server.seen).toEqual(["subscribe channel a"]);
    expect(outcomes).toEqual(["a,a resolved", "again resolved"]);
  });

  it("an unsubscribe while disconnected is not sent, and resurrects nothing", () => {
    const { server, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a", "b"]);
    server.settle();
    server.disconnect();
    unsubscribe(["a"]);
    expect(outcomes).toEqual(["a,b resolved", "una resolved"]);
    server.connect();
    server.settle();
    expect([...server.has.channel]).toEqual(["b"]);
    expect(server.seen.at(-1)).toBe("subscribe channel b");
  });

  it("an unsubscribe that is taken back before it was sent is never sent", () => {
    const { server, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a"]);
    server.settle();
    unsubscribe(["a"]);
    subscribe(["a"], { call: "again" });
    server.settle();
    expect(server.seen).toEqual(["subscribe channel a"]);
    expect(outcomes).toEqual(["a resolved", "una resolved", "again resolved"]);
  });

  it("unsubscribed while the SUBSCRIBE is under way: the call resolves at once, the server is told afterwards", () => {
    const { server, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a"]);
    server.flush();
    unsubscribe(["a"]);
    expect(outcomes).toEqual(["a resolved"]);
    server.settle();
    expect(server.seen).toEqual(["subscribe channel a", "unsubscribe channel a"]);
    expect(outcomes).toEqual(["a resolved", "una resolved"]);
  });

  it("subscribed again while the UNSUBSCRIBE is under way: asked for anew afterwards", () => {
    const { server, subscribe, unsubscribe, subscriptions } = setUp();
    server.connect();
    subscribe(["a"]);
    server.settle();
    unsubscribe(["a"]);
    server.flush();
    subscribe(["a"], { call: "again" });
    expect(subscriptions.state("channel", "a")).toBe("pending");
    server.settle();
    expect(server.seen.slice(1)).toEqual(["unsubscribe channel a", "subscribe channel a"]);
    expect(subscriptions.state("channel", "a")).toBe("confirmed");
  });

  it("names are bytes: every one makes a key of its own, text stands for its UTF-8", () => {
    expect(keyOf("é")).toBe("\u00c3\u00a9");
    expect(keyOf(new Uint8Array([0xc3, 0xa9]))).toBe(keyOf("é"));
    expect(keyOf(new Uint8Array([0xff, 0x00]))).not.toBe(keyOf(new Uint8Array([0xfe, 0x00])));
    expect(() => keyOf(7 as never)).toThrow(TypeError);
  });
});

describe("Subscriptions: the server refuses", () => {
  it("one error refuses the whole command: each channel is then asked alone, all in one flight", () => {
    const { server, subscribe, outcomes, subscriptions } = setUp();
    server.denied.add("b");
    subscribe(["a"]);
    subscribe(["b"]);
    subscribe(["c"]);
    server.connect();
    server.settle();
    expect(server.seen).toEqual([
      "subscribe channel a b c",
      "subscribe channel a",
      "subscribe channel b",
      "subscribe channel c",
    ]);
    expect(outcomes).toEqual(["a resolved", "b NOPERM", "c resolved"]);
    expect(subscriptions.state("channel", "b")).toBeNull();
  });

  it("an UNSUBSCRIBE that is refused as a whole: each alone, then what is wanted again by then", () => {
    const { server, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a", "b", "c", "d"], { kind: "shard", call: "all" });
    server.settle();
    server.seen.length = 0;
    unsubscribe(["a", "b", "c"], "shard");
    server.flush();
    subscribe(["a"], { kind: "shard" });
    server.serve();
    server.hear();
    subscribe(["b"], { kind: "shard" });
    server.settle();
    expect(server.seen).toEqual([
      "unsubscribe shard a b c",
      "unsubscribe shard a",
      "unsubscribe shard b",
      "unsubscribe shard c",
      "subscribe shard a b",
      "subscribe shard a",
      "subscribe shard b",
    ]);
    expect(outcomes).toEqual(["all resolved", "una,b,c resolved", "a resolved", "b resolved"]);
    expect([...server.has.shard].sort()).toEqual(["a", "b", "d"]);
  });

  it("an UNSUBSCRIBE that is refused as a whole, when the server has just ended one of them by itself", () => {
    const { server, subscribe, unsubscribe, subscriptions } = setUp();
    server.connect();
    subscribe(["a", "b"], { kind: "shard" });
    server.settle();
    unsubscribe(["a", "b"], "shard");
    server.flush();
    server.expel("shard", "a");
    server.serve();
    while (server.hear());
    subscribe(["a"], { kind: "shard" });
    server.settle();
    expect(subscriptions.state("shard", "a")).toBe("confirmed");
    expect([...server.has.shard]).toEqual(["a"]);
  });

  it("the same, when what is wanted again is not allowed any more: the server sends nothing of it", () => {
    const { server, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a", "b"], { kind: "shard" });
    server.settle();
    unsubscribe(["a", "b"], "shard");
    server.flush();
    server.denied.add("a");
    subscribe(["a"], { kind: "shard", call: "again" });
    server.settle();
    expect(outcomes).toEqual(["a,b resolved", "una,b resolved", "again NOPERM"]);
    expect([...server.has.shard]).toEqual([]);
  });

  it("a call that is refused one channel takes all of them back", () => {
    const { server, subscribe, outcomes } = setUp();
    server.denied.add("b");
    server.connect();
    subscribe(["a", "b"]);
    server.settle();
    expect(outcomes).toEqual(["a,b NOPERM"]);
    expect([...server.has.channel]).toEqual([]);
  });

  it("refused after a reconnect: failed and told, tried again on the next connection and no sooner", () => {
    const { server, subscribe, refused, subscriptions } = setUp();
    subscribe(["a", "b"]);
    server.connect();
    server.settle();
    server.disconnect();
    server.denied.add("b");
    server.connect();
    server.settle();
    expect(refused).toEqual(["b NOPERM"]);
    expect(subscriptions.state("channel", "b")).toBe("failed");
    expect(server.seen.filter((command) => command === "subscribe channel b")).toHaveLength(1);
    server.denied.clear();
    server.disconnect();
    expect(subscriptions.state("channel", "b")).toBe("pending");
    server.connect();
    server.settle();
    expect(subscriptions.state("channel", "b")).toBe("confirmed");
  });

  it("subscribed to again after a refusal: asked again at once", () => {
    const { server, subscribe, outcomes, gaps } = setUp();
    subscribe(["a"]);
    server.connect();
    server.settle();
    server.disconnect();
    server.denied.add("a");
    server.connect();
    server.settle();
    expect(gaps()).toEqual([{ reason: "reconnect", since: 1, names: ["a"] }]);
    server.denied.clear();
    subscribe(["a"], { call: "again" });
    server.settle();
    expect(outcomes).toEqual(["a resolved", "again resolved"]);
    expect(gaps()).toEqual([{ reason: "resubscribe", since: 1, names: ["a"] }]);
  });

  it("suspects of a connection that is lost are not asked twice on the next", () => {
    const { server, subscribe } = setUp();
    server.denied.add("b");
    subscribe(["a", "b"]);
    server.connect();
    server.flush();
    server.serve();
    server.hear();
    server.disconnect();
    server.denied.clear();
    server.connect();
    server.settle();
    expect(server.seen).toEqual(["subscribe channel a b", "subscribe channel a b"]);
  });

  it("answers of a connection that is gone mean nothing", () => {
    const { server, subscribe, subscriptions } = setUp();
    subscribe(["a"]);
    server.connect();
    const [old] = subscriptions.next();
    server.disconnect();
    server.connect();
    server.flush();
    subscriptions.answered(old!, null);
    expect(subscriptions.state("channel", "a")).toBe("pending");
    expect(subscriptions.next()).toEqual([]);
    server.settle();
    expect(subscriptions.state("channel", "a")).toBe("confirmed");
  });

  it("a command that is answered without its confirmations was refused", () => {
    const { subscriptions, subscribe, outcomes } = setUp();
    subscriptions.connected();
    subscribe(["a"]);
    subscriptions.answered(subscriptions.next()[0]!, null);
    expect(outcomes).toEqual(["a EPROTO"]);
  });

  it("an UNSUBSCRIBE refused: MOVED means that there is nothing left to end, any other error rejects", () => {
    const { server, subscriptions, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a", "b"], { kind: "shard" });
    server.settle();
    unsubscribe(["a"], "shard");
    subscriptions.answered(subscriptions.next()[0]!, new ZmqError("MOVED"));
    unsubscribe(["b"], "shard");
    subscriptions.answered(subscriptions.next()[0]!, new ZmqError("NOPERM"));
    expect(outcomes).toEqual(["a,b resolved", "una resolved", "unb NOPERM"]);
    expect(subscriptions.isInUse).toBe(false);
  });
});

describe("Subscriptions: calls", () => {
  it("several listeners: the channel ends with the last", () => {
    const { server, subscribe, unsubscribe } = setUp();
    const [one, other] = [() => {}, () => {}];
    server.connect();
    subscribe(["a"], { listener: one });
    subscribe(["a"], { listener: other });
    server.settle();
    unsubscribe(["a"], "channel", one);
    server.settle();
    expect([...server.has.channel]).toEqual(["a"]);
    unsubscribe(["a"], "channel", other);
    server.settle();
    expect([...server.has.channel]).toEqual([]);
  });

  it("a call that is given up takes back only what it added", () => {
    const { server, subscriptions, subscribe, outcomes } = setUp();
    const call = subscribe(["a", "b"], { call: "first" });
    subscribe(["b"], { listener: () => {}, call: "other" });
    subscriptions.fail(call, "aborted");
    server.connect();
    server.settle();
    expect(server.seen).toEqual(["subscribe channel b"]);
    expect(outcomes).toEqual(["first aborted", "other resolved"]);
  });

  it("a listener that two calls add stays when one of them is given up, whichever it is", () => {
    for (const which of [0, 1]) {
      const { server, subscriptions, subscribe, outcomes } = setUp();
      const calls = [subscribe(["a"], { call: "0" }), subscribe(["a"], { call: "1" })];
      subscriptions.fail(calls[which]!, "aborted");
      server.connect();
      server.settle();
      expect(outcomes).toEqual([`${which} aborted`, `${1 - which} resolved`]);
      expect([...server.has.channel]).toEqual(["a"]);
    }
  });

  it("one of the two is refused another channel: the listener stays for the other call", () => {
    const { server, subscribe, outcomes } = setUp();
    server.denied.add("y");
    subscribe(["x", "y"], { call: "first" });
    subscribe(["x"], { call: "second" });
    server.connect();
    server.settle();
    expect(outcomes.sort()).toEqual(["first NOPERM", "second resolved"]);
    expect([...server.has.channel]).toEqual(["x"]);
  });

  it("closing settles every call", () => {
    const { server, subscriptions, subscribe, unsubscribe, outcomes } = setUp();
    server.connect();
    subscribe(["a"]);
    server.settle();
    unsubscribe(["a"]);
    subscribe(["b"]);
    subscriptions.close(new ZmqError("EBADF"));
    expect(outcomes.sort()).toEqual(["a resolved", "b EBADF", "una resolved"]);
    expect(subscriptions.isInUse).toBe(false);
  });
});

describe("Subscriptions: gaps", () => {
  it("one for a loss, after the last confirmation, naming what stood before", () => {
    const { server, subscribe, gaps } = setUp();
    server.connect();
    subscribe(["a", "b"]);
    server.settle();
    expect(gaps()).toEqual([]);
    server.disconnect();
    subscribe(["new"]);
    expect(gaps()).toEqual([]);
    server.connect();
    server.flush();
    server.serve();
    server.hear();
    expect(gaps()).toEqual([]);
    server.settle();
    expect(gaps()).toEqual([{ reason: "reconnect", since: 1, names: ["a", "b"] }]);
    expect(gaps()).toEqual([]);
  });

  it("lost again before all stood: one gap, since the first loss", () => {
    const { server, subscribe, gaps } = setUp();
    server.connect();
    subscribe(["a"]);
    server.settle();
    server.disconnect();
    server.connect();
    server.flush();
    server.serve();
    server.hear();
    server.disconnect();
    server.connect();
    server.settle();
    expect(gaps()).toEqual([{ reason: "reconnect", since: 1, names: ["a"] }]);
  });

  it("none for what never stood, nor for what is not wanted any more", () => {
    const { server, subscribe, unsubscribe, gaps } = setUp();
    server.connect();
    subscribe(["a"]);
    server.settle();
    subscribe(["b"]);
    server.disconnect();
    unsubscribe(["a"]);
    server.connect();
    server.settle();
    expect(gaps()).toEqual([]);
  });

  it("refused ones are named too, on each connection until they stand", () => {
    const { server, subscribe, gaps } = setUp();
    server.connect();
    subscribe(["a", "b"]);
    server.settle();
    server.denied.add("b");
    for (const names of [
      ["a", "b"],
      ["a", "b"],
    ]) {
      server.disconnect();
      server.connect();
      server.settle();
      const [gap] = gaps();
      expect(gap?.names.sort()).toEqual(names);
    }
  });

  it("the server ends a subscription by itself: moved, asked again at once", () => {
    const { server, subscribe, moved, gaps, subscriptions } = setUp();
    server.connect();
    subscribe(["a", "b"], { kind: "shard" });
    server.settle();
    server.now = 7;
    server.expel("shard", "a");
    server.hear();
    expect(moved).toEqual(["a"]);
    expect(subscriptions.state("shard", "a")).toBe("pending");
    server.settle();
    expect(gaps()).toEqual([{ reason: "moved", since: 7, names: ["a"] }]);
    expect([...server.has.shard].sort()).toEqual(["a", "b"]);
  });

  it("our SUNSUBSCRIBE crosses the server's own: no move, and the call resolves", () => {
    const { server, subscribe, unsubscribe, moved, outcomes } = setUp();
    server.connect();
    subscribe(["a"], { kind: "shard" });
    server.settle();
    server.expel("shard", "a");
    unsubscribe(["a"], "shard");
    server.settle();
    expect(moved).toEqual([]);
    expect(outcomes).toEqual(["a resolved", "una resolved"]);
  });
});
