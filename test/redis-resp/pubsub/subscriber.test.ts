import { describe, expect, it } from "vitest";
import { RedisSubscriber, type SubscriberEvents } from "../../../src/redis-resp/index.ts";
import { trapRejections, watch } from "../../support/sim-sockets.ts";
import { RedisWorld } from "./fake-redis.ts";

trapRejections();

const TYPES = ["connect", "disconnect", "gap", "error", "drop"] as const;

/** Every event as one line. */
function eventsOf(subscriber: RedisSubscriber): string[] {
  const seen: string[] = [];
  const show = (event: SubscriberEvents[keyof SubscriberEvents]): string => {
    switch (event.type) {
      case "connect":
        return "connect";
      case "disconnect":
        return `disconnect ${event.error.code} ${event.retryIn}`;
      case "gap": {
        const names = [event.channels, event.patterns, event.shardChannels].map(String).join("|");
        return `gap ${event.reason} ${names} ${event.since}+${event.duration}`;
      }
      case "error":
        return `error ${event.kind ?? "-"} ${event.channel ?? "-"} ${event.error.message}`;
      case "drop":
        return `drop ${event.kind} ${event.channel} ${event.count}`;
    }
  };
  for (const type of TYPES) subscriber.events.on(type, (event) => seen.push(show(event)));
  return seen;
}

/** A subscriber of `news`, and what it hears. */
async function setUp(options: ConstructorParameters<typeof RedisSubscriber>[0] = {}) {
  const world = new RedisWorld();
  const subscriber = world.subscriber(options);
  const heard: string[] = [];
  const events = eventsOf(subscriber);
  const listener = (payload: Buffer, channel: Buffer): void => {
    heard.push(`${channel} ${payload}`);
  };
  await world.run(subscriber.subscribe("news", listener));
  return { world, server: world.server, subscriber, heard, events, listener };
}

describe("RedisSubscriber: life", () => {
  it("connects at the first subscription, shakes hands first, keeps the process alive while subscribed", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber({ clientName: "me" });
    await world.settle();
    expect(world.network.dials).toEqual([]);
    const subscribed = subscriber.subscribe("news", () => {});
    expect(subscriber.state("news")).toBe("pending");
    expect(world.holds).toBe(1);
    await world.run(subscribed);
    expect(subscriber.state("news")).toBe("confirmed");
    const { commands } = world.server.last;
    const first = commands.indexOf("SUBSCRIBE news");
    expect(commands[0]).toMatch(/^HELLO 3/);
    expect(commands.slice(first)).toEqual(["SUBSCRIBE news", "PING"]);
    await world.run(subscriber.unsubscribe("news"));
    expect(world.holds).toBe(0);
    await subscriber.close();
    await world.settle();
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 1 });
  });

  it("an unsubscribe holds the process until it is answered", async () => {
    const { world, server, subscriber } = await setUp();
    server.rules.mute.add("PING");
    const unsubscribed = watch(subscriber.unsubscribe());
    await world.settle();
    expect([unsubscribed.state, world.holds]).toEqual(["pending", 1]);
    server.last.write("+PONG\r\n");
    await world.settle();
    expect([unsubscribed.state, world.holds]).toEqual(["resolved", 0]);
  });

  it("subscriptions of one turn go out in one command", async () => {
    const { world, server, subscriber } = await setUp();
    await world.run(Promise.all(["a", "b", "c"].map((name) => subscriber.subscribe(name, () => {}))));
    expect(server.last.subscribes.slice(1)).toEqual(["SUBSCRIBE a b c"]);
  });

  it("close is final: EBADF for calls that wait and for calls that come, loops end, nothing is left", async () => {
    const world = new RedisWorld();
    world.stopServer();
    const subscriber = world.subscriber();
    const waiting = watch(subscriber.subscribe("news"));
    const loop = watch(subscriber[Symbol.asyncIterator]().next());
    await world.settle();
    await subscriber.close();
    await subscriber.close();
    await world.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: { code: "EBADF" } });
    expect(loop).toMatchObject({ state: "resolved", value: { done: true } });
    await expect(subscriber.subscribe("x")).rejects.toMatchObject({ code: "EBADF" });
    await subscriber.unsubscribe("x");
    expect(subscriber.state("news")).toBeNull();
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("after close nothing is told of what the inbox had dropped", async () => {
    const { world, server, subscriber, events } = await setUp({ maxInboxMessages: 1 });
    await world.run(subscriber.subscribe("a"));
    await world.run(subscriber.subscribe("last", () => void subscriber.close()));
    server.last.push("message", "a", "1");
    server.last.push("message", "a", "2");
    server.last.push("message", "last", "");
    await world.settle();
    expect(subscriber.stats().dropped).toBe(1);
    expect(events).toEqual(["connect"]);
  });

  it("close in a listener: nothing more is heard", async () => {
    const { world, server, subscriber, heard } = await setUp();
    await world.run(subscriber.subscribe("stop", () => void subscriber.close()));
    server.publish("stop", "");
    server.publish("news", "1");
    await world.settle();
    expect(heard).toEqual([]);
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("wrong arguments are refused at the call", async () => {
    const { subscriber } = await setUp();
    expect(() => subscriber.subscribe(7 as never)).toThrow(TypeError);
    expect(() => subscriber.subscribe(["a", 7] as never)).toThrow(TypeError);
    expect(() => subscriber.subscribe("a", "b" as never)).toThrow(TypeError);
    expect(() => subscriber.unsubscribe("a", {} as never)).toThrow(TypeError);
    expect(() => subscriber.subscribe([])).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => new RedisSubscriber({ inboxSize: 1 } as never)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    await subscriber.close();
  });

  it("a signal gives a subscription up while it waits, and means nothing afterwards", async () => {
    const { world, server, subscriber } = await setUp();
    const controller = new AbortController();
    const { signal } = controller;
    server.rules.mute.add("SUBSCRIBE").add("PING");
    const waiting = watch(subscriber.subscribe("a", () => {}, { signal }));
    await world.settle();
    controller.abort("enough");
    await world.settle();
    expect(waiting).toMatchObject({ state: "rejected", error: "enough" });
    expect(subscriber.state("a")).toBeNull();
    await expect(subscriber.subscribe("b", () => {}, { signal })).rejects.toBe("enough");
    const later = new AbortController();
    server.rules.mute.clear();
    world.server.killAll();
    await world.advance(10);
    await world.run(subscriber.subscribe("c", () => {}, { signal: later.signal }));
    later.abort();
    await world.settle();
    expect(subscriber.state("c")).toBe("confirmed");
  });
});

describe("RedisSubscriber: messages", () => {
  it("names that are no text come back as their bytes", async () => {
    const { world, server, subscriber } = await setUp();
    const name = Buffer.from([0xff, 0x00, 0x0d, 0x0a, 0xc3]);
    const seen: Buffer[] = [];
    await world.run(subscriber.subscribe(name, (_, channel) => seen.push(channel)));
    expect(server.publish(name, "x")).toBe(1);
    await world.settle();
    expect(seen).toEqual([name]);
    expect(subscriber.state(name)).toBe("confirmed");
  });

  it("a listener that throws, or rejects, is told by an event; the others hear all", async () => {
    const { world, server, subscriber, heard, events } = await setUp();
    await world.run(
      subscriber.subscribe("news", () => {
        throw new Error("mine");
      }),
    );
    await world.run(
      subscriber.subscribe("news", (async () => {
        throw new Error("later");
      }) as () => void),
    );
    await world.run(subscriber.subscribe("other", (payload) => heard.push(`other ${payload}`)));
    server.publish("news", "1");
    server.publish("other", "2");
    server.publish("news", "3");
    await world.settle();
    expect(heard).toEqual(["news 1", "other 2", "news 3"]);
    expect(events.filter((event) => event === "error channel news mine")).toHaveLength(2);
    expect(events.filter((event) => event === "error channel news later")).toHaveLength(2);
  });

  it("without anyone to tell, what a listener throws is uncaught, on its own", async () => {
    const world = new RedisWorld();
    const turns: (() => void)[] = [];
    const environment = {
      ...world.redisEnvironment,
      nextTurn: (callback: () => void) => turns.push(callback),
    };
    const subscriber = new RedisSubscriber({}, environment);
    const heard: string[] = [];
    await world.run(
      subscriber.subscribe("news", (payload) => {
        heard.push(payload.toString());
        throw new Error("mine");
      }),
    );
    world.server.publish("news", "1");
    world.server.publish("news", "2");
    await world.settle();
    expect(heard).toEqual(["1", "2"]);
    expect(turns).toHaveLength(2);
    expect(turns[0]).toThrow("mine");
  });

  it("who stops listening in a listener hears no more, the other listeners do", async () => {
    const { world, server, subscriber, heard, listener } = await setUp();
    const once = (): void => {
      heard.push("once");
      void subscriber.unsubscribe("news", once);
    };
    await world.run(subscriber.subscribe("news", once));
    server.publish("news", "1");
    server.publish("news", "2");
    await world.settle();
    expect(heard).toEqual(["news 1", "once", "news 2"]);
    void subscriber.unsubscribe("news", listener);
    server.publish("news", "3");
    await world.settle();
    expect(heard).toHaveLength(3);
  });

  it("who is taken off by another listener does not hear the message that is being told", async () => {
    const { world, server, subscriber, heard } = await setUp();
    const second = (payload: Buffer): void => void heard.push(`second ${payload}`);
    const first = (): void => void subscriber.unsubscribe("two", second);
    await world.run(Promise.all([subscriber.subscribe("two", first), subscriber.subscribe("two", second)]));
    await world.run(subscriber.subscribe("end", () => void subscriber.close()));
    await world.run(subscriber.subscribe("end", (payload) => heard.push(`end ${payload}`)));
    server.publish("two", "1");
    server.publish("end", "2");
    await world.settle();
    expect(heard).toEqual([]);
  });

  it("pushes of unknown kinds, and of client-side caching, are no messages", async () => {
    const { world, server, heard, events } = await setUp();
    server.last.write(">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
    server.last.write(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n*1\r\n$1\r\nk\r\n");
    server.last.write(">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n");
    server.publish("news", "1");
    await world.settle();
    expect(heard).toEqual(["news 1"]);
    expect(events).toEqual(["connect"]);
  });

  it("a full inbox: drops are told, and a gap once there is room", async () => {
    const { world, server, subscriber, events, heard } = await setUp({ maxInboxMessages: 4 });
    await world.run(subscriber.subscribe(["a", "b"]));
    for (const text of ["1", "2", "3", "4", "5", "6"]) server.publish("a", text);
    server.publish("b", "7");
    server.publish("news", "8");
    await world.settle();
    expect(events.slice(1)).toEqual(["drop channel a 2", "drop channel b 1"]);
    expect(heard).toEqual(["news 8"]);
    expect(subscriber.stats()).toMatchObject({ received: 8, dropped: 3, queued: 4, gaps: 0 });
    await world.advance(5);
    const batch = await world.run(subscriber.receiveBatch());
    expect(batch.map(({ kind, channel, payload }) => `${kind} ${channel} ${payload}`)).toEqual(
      ["1", "2", "3", "4"].map((text) => `channel a ${text}`),
    );
    await world.settle();
    expect(events.slice(3)).toEqual(["gap overflow a,b|| 1000+5"]);
    expect(subscriber.stats()).toMatchObject({ queued: 0, gaps: 1 });
  });
});

describe("N-26: RedisSubscriber: losses", () => {
  it("a loss: back at once, the gap comes after the new confirmations", async () => {
    const { world, server, events, heard } = await setUp();
    world.time = 2000;
    server.killAll();
    await world.advance(5);
    expect(events).toEqual(["connect", "disconnect ECONNRESET 0", "connect", "gap reconnect news|| 2000+0"]);
    expect(server.publish("news", "back")).toBe(1);
    await world.settle();
    expect(heard).toEqual(["news back"]);
  });

  it("back-off: the first attempt at once, the others with growing delay, 2 s at most", async () => {
    const { world, events } = await setUp();
    world.stopServer();
    await world.settle();
    const from = world.time;
    await world.advance(60_000);
    const times = world.network.dials.slice(1).map(({ at }) => at - from);
    expect(times[0]).toBeLessThanOrEqual(1);
    const waits = times.slice(1).map((at, i) => at - (times[i] as number));
    expect(Math.max(...waits)).toBeLessThanOrEqual(2000);
    expect(Math.max(...waits.slice(6))).toBeGreaterThan(500);
    expect(waits.length).toBeGreaterThan(25);
    world.startServer();
    await world.advance(2001);
    expect(events.at(-1)).toMatch(/^gap reconnect news\|\| 1000\+6/);
  });

  it("PING after 15 s of silence; without an answer for 5 s the connection is given up", async () => {
    const { world, server, events } = await setUp();
    const pings = () => server.connections[0]!.commands.filter((command) => command === "PING").length;
    const before = pings();
    await world.advance(14_999);
    expect(pings()).toBe(before);
    await world.advance(2);
    expect(pings()).toBe(before + 1);
    await world.advance(10_000);
    server.publish("news", "alive");
    await world.advance(14_900);
    expect(pings()).toBe(before + 1);
    server.connections[0]!.stream.stall();
    await world.advance(5000);
    expect(events).toEqual(["connect"]);
    await world.advance(200);
    expect(events[1]).toBe("disconnect ETIMEDOUT 0");
    expect(events.at(-1)).toMatch(/^gap reconnect news/);
    expect(server.connections).toHaveLength(2);
  });

  it("a loss that only the silence tells of began when the server was last heard", async () => {
    const { world, server, events } = await setUp();
    world.time = 3000;
    server.publish("news", "1");
    await world.settle();
    server.last.stream.stall();
    await world.advance(20_010);
    expect(events.at(-1)).toMatch(/^gap reconnect news\|\| 3000\+2000\d$/);
  });

  it("10,000 channels come back in commands of 500, each after the last was answered, with one gap", async () => {
    const { world, server, subscriber, events, listener } = await setUp();
    const names = Array.from({ length: 9999 }, (_, i) => `c${i}`);
    await world.run(subscriber.subscribe(names, listener));
    server.killAll();
    await world.advance(5);
    expect(server.connections).toHaveLength(2);
    const { commands, subscribes } = server.last;
    expect(subscribes.map((command) => command.split(" ").length - 1)).toEqual(Array(20).fill(500));
    const begin = commands.indexOf(subscribes[0] as string);
    expect(commands.slice(begin).map((command) => command.split(" ")[0])).toEqual(
      Array(20).fill(["SUBSCRIBE", "PING"]).flat(),
    );
    expect(events.filter((event) => event.startsWith("gap"))).toHaveLength(1);
    expect(subscriber.stats()).toMatchObject({ channels: 10_000, gaps: 1, connections: 2 });
  });

  it("what is missing still is given up: the others' gap is told all the same", async () => {
    const { world, server, subscriber, events } = await setUp();
    const names = Array.from({ length: 500 }, (_, i) => `c${i}`);
    await world.run(subscriber.subscribe(names, () => {}));
    await world.run(subscriber.subscribe("news", () => void subscriber.unsubscribe("c499")));
    subscriber.events.once("connect", () => server.rules.mute.add("PING"));
    server.killAll();
    await world.advance(5);
    expect(server.last.subscribes).toHaveLength(1); // without c499
    server.last.write("+PONG\r\n>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n1\r\n");
    await world.settle();
    expect(events.at(-1)).toMatch(/^gap reconnect news,c0,.*,c498\|\|/);
    expect(server.last.subscribes).toHaveLength(1);
  });

  it("NOPERM at the reconnect: an error for the channel, which the gap names; the others stand; no loop", async () => {
    const { world, server, subscriber, events } = await setUp();
    await world.run(subscriber.subscribe(["a", "b"], () => {}));
    server.rules.denied.add("a");
    server.killAll();
    await world.advance(60_000);
    expect(events.slice(2)).toEqual([
      "connect",
      "error channel a NOPERM this user has no permissions to access one of the channels used as arguments",
      expect.stringMatching(/^gap reconnect (a,news,b|news,a,b|news,b,a)\|\|/),
    ]);
    expect(["news", "a", "b"].map((name) => subscriber.state(name))).toEqual([
      "confirmed",
      "failed",
      "confirmed",
    ]);
    expect(server.last.subscribes).toHaveLength(4);
    expect(world.warnings).toEqual([]);
    server.rules.denied.clear();
    server.killAll();
    await world.advance(5000);
    expect(subscriber.state("a")).toBe("confirmed");
  });

  it("NOPERM that nobody listens for is a warning", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    await world.run(subscriber.subscribe("a", () => {}));
    world.server.rules.denied.add("a");
    world.server.killAll();
    await world.advance(5);
    expect(world.warnings).toEqual([expect.stringContaining("channel a: NOPERM")]);
  });

  it("the server does not let us in: calls that wait are rejected, what stood before is tried again", async () => {
    const { world, server, subscriber, events } = await setUp({ password: "old" });
    server.rules.password = "new";
    server.killAll();
    await world.settle();
    const call = watch(subscriber.subscribe("a", () => {}));
    await world.advance(5);
    expect(call).toMatchObject({ state: "rejected", error: { code: "WRONGPASS" } });
    expect(subscriber.state("news")).toBe("pending");
    server.rules.password = "old";
    await world.advance(60_000);
    expect(events.at(-1)).toMatch(/^gap reconnect news/);
  });

  it("a server without RESP3: the same in RESP2", async () => {
    const world = new RedisWorld();
    world.server.rules.knowsHello = false;
    const subscriber = world.subscriber();
    const heard: string[] = [];
    await world.run(subscriber.subscribe("news", (payload) => heard.push(payload.toString())));
    world.server.publish("news", "1");
    await world.run(subscriber.subscribe("a", () => {}));
    expect(world.server.last.commands.at(-1)).toBe("PING");
    await world.run(subscriber.unsubscribe());
    expect(heard).toEqual(["1"]);
    expect(world.server.last.has[""]?.size).toBe(0);
  });

  it("relocate: dialled anew at once, with the reason given", async () => {
    const { world, subscriber, events } = await setUp();
    const { ZmqError } = await import("../../../src/errors.ts");
    subscriber.relocate(new ZmqError("ESTALE", "another master"), "failover");
    await world.settle();
    expect(events.slice(1)).toEqual(["disconnect ESTALE 0", "connect", "gap failover news|| 1000+0"]);
  });

  it("relocate when just connected: all is asked for where it goes next", async () => {
    const { world, server, subscriber, events } = await setUp();
    const { ZmqError } = await import("../../../src/errors.ts");
    subscriber.events.once("connect", () => subscriber.relocate(new ZmqError("ESTALE", "another master")));
    server.killAll();
    await world.advance(200);
    expect(subscriber.state("news")).toBe("confirmed");
    expect(events.at(-1)).toMatch(/^gap reconnect news/);
  });

  it("a shard channel that the server ends: a gap `moved`, subscribed to again", async () => {
    const { world, server, subscriber, events } = await setUp();
    await world.run(subscriber.ssubscribe("s", () => {}));
    server.last.expel("s");
    await world.settle();
    expect(events.slice(1)).toEqual(["gap moved ||s 1000+0"]);
    expect(subscriber.state("s", "shard")).toBe("confirmed");
  });

  it("a cut in the middle of a message: the rest belongs to nobody, the next connection begins clean", async () => {
    const { world, server, heard, events } = await setUp();
    server.last.write(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$100\r\nhalf");
    await world.settle();
    server.killAll();
    await world.advance(5);
    server.publish("news", "whole");
    await world.settle();
    expect(heard).toEqual(["news whole"]);
    expect(events.at(-1)).toMatch(/^gap reconnect/);
  });

  it("malformed bytes cost the connection, not the subscription", async () => {
    const { world, server, heard, events } = await setUp();
    server.publish("news", "1");
    server.last.write("@oops\r\n");
    server.publish("news", "lost");
    await world.advance(5);
    server.publish("news", "2");
    await world.settle();
    expect(heard).toEqual(["news 1", "news 2"]);
    expect(events.slice(1)).toEqual(["disconnect EPROTO 0", "connect", "gap reconnect news|| 1000+0"]);
  });
});
