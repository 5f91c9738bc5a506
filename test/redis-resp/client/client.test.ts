import { describe, expect, it } from "vitest";
import type { RedisClient } from "../../../src/redis-resp/client/client.ts";
import type { Argument } from "../../../src/redis-resp/protocol/encoder.ts";
import { trapRejections, watch } from "../../support/sim-sockets.ts";
import { ClientWorld, likeRedis } from "../scripted.ts";

trapRejections();

/** A client that is connected, to a server that answers no command after that. */
async function connected(
  world: ClientWorld,
  options: Parameters<ClientWorld["client"]>[0] = {},
): Promise<RedisClient> {
  world.listen();
  const client = world.client(options);
  await world.run(client.connect());
  world.server.answer = null;
  return client;
}

describe("without a connection", () => {
  it("does nothing until it is asked for something", async () => {
    const world = new ClientWorld();
    world.client();
    await world.advance(10_000);
    expect(world.network.dials).toEqual([]);
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it("commands wait in order, and are sent once", async () => {
    const world = new ClientWorld();
    const client = world.client();
    const incremented = ["a", "b", "c"].map((key) => client.command("ECHO", key, { text: true }));
    await world.advance(1000);
    expect(client.stats()).toEqual({ commands: 3, pending: 3, queued: 3, connections: 0 });
    const seen: string[] = [];
    world.listen((command) => {
      if (command[0] !== "ECHO") return likeRedis(command);
      seen.push(command[1] as string);
      return `+${command[1]}\r\n`;
    });
    await world.advance(5000);
    expect(await Promise.all(incremented)).toEqual(["a", "b", "c"]);
    expect(seen).toEqual(["a", "b", "c"]);
    expect(client.stats()).toEqual({ commands: 3, pending: 0, queued: 0, connections: 1 });
  });

  it("too many, in number or in bytes: ENOBUFS; those given up make room", async () => {
    const world = new ClientWorld();
    const few = world.client({ maxQueuedCommands: 2 });
    const controller = new AbortController();
    const given = few.get("a", { signal: controller.signal });
    few.get("b").catch(() => {});
    await expect(world.run(few.get("c"))).rejects.toMatchObject({ code: "ENOBUFS" });
    controller.abort();
    await expect(world.run(given)).rejects.toThrow("aborted");
    const room = watch(few.get("d"));
    await world.settle();
    expect(room.state).toBe("pending");

    const short = world.client({ maxQueuedBytes: 100 });
    short.publish("a", "x".repeat(100)).catch(() => {});
    await expect(world.run(short.publish("a", ""))).rejects.toMatchObject({ code: "ENOBUFS" });
    few.destroy();
    short.destroy();
    await world.settle();
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
  });

  it("commandTimeout: rejected as not sent, with one timer", async () => {
    const world = new ClientWorld();
    const client = world.client({ commandTimeout: 100 });
    const first = watch(client.get("a"));
    await world.advance(60);
    const second = watch(client.get("b"));
    await world.advance(45);
    expect([first.state, first.error, second.state]).toEqual([
      "rejected",
      expect.objectContaining({ code: "ETIMEDOUT" }),
      "pending",
    ]);
    await world.advance(60);
    expect(second.error).toMatchObject({ code: "ETIMEDOUT" });
    const seen: string[] = [];
    world.listen((command) => {
      seen.push(String(command[0]));
      return likeRedis(command);
    });
    await world.advance(5000);
    expect(seen).toEqual(["HELLO", "PING"]);
  });
});

describe("a signal", () => {
  it("aborted before: its reason, and nothing is sent", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    world.server.take();
    const reason = new Error("enough");
    await expect(client.get("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await world.settle();
    expect(world.server.take()).toBe("");
    expect(client.stats()).toMatchObject({ pending: 0 });
  });

  it("aborted while it waits for a connection: it is never sent", async () => {
    const world = new ClientWorld();
    const client = world.client();
    const controller = new AbortController();
    const got = client.get("a", { signal: controller.signal });
    const pong = client.ping();
    controller.abort(new Error("enough"));
    await expect(got).rejects.toThrow("enough");
    const seen: string[] = [];
    world.listen((command) => {
      seen.push(String(command[0]));
      return likeRedis(command);
    });
    await world.advance(5000);
    expect(await pong).toBe("PONG");
    expect(seen).toEqual(["HELLO", "PING", "PING"]);
  });

  it("aborted after it was sent: its reply hits nobody else", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const controller = new AbortController();
    const got = client.get("a", { signal: controller.signal, text: true });
    const next = client.get("b", { text: true });
    await world.settle();
    controller.abort(new Error("enough"));
    await expect(got).rejects.toThrow("enough");
    world.server.say("+first\r\n+second\r\n");
    expect(await world.run(next)).toBe("second");
  });
});

describe("a loss", () => {
  it("what was sent is rejected with EUNKNOWN and not sent again; what comes after waits", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const seen: string[] = [];
    client.events
      .on("connect", ({ address }) => seen.push(`connect ${address}`))
      .on("disconnect", ({ address, error, retryIn }) =>
        seen.push(`disconnect ${address} ${error.code} ${retryIn}`),
      );
    const sent = client.incr("n");
    await world.settle();
    world.server.take();
    world.near.reset();
    await expect(world.run(sent)).rejects.toMatchObject({ code: "EUNKNOWN", cause: { code: "ECONNRESET" } });
    const pong = client.ping();
    await world.advance(5000);
    expect(await pong).toBe("PONG");
    expect(world.server.received).not.toContain("INCR");
    expect(seen).toEqual([
      expect.stringMatching(/^disconnect 127\.0\.0\.1:6379 ECONNRESET \d+$/),
      "connect 127.0.0.1:6379",
    ]);
  });

  it("node-redis#3282: the server has closed its half, and a command is written into it", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    world.server.stream.end();
    const got = client.get("a"); // before we hear of it
    await expect(world.run(got)).rejects.toMatchObject({ code: "EUNKNOWN" });
    const pong = client.ping();
    await world.advance(5000);
    expect(await pong).toBe("PONG");
  });

  it("a server that is silent is noticed at the PING's deadline", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const got = watch(client.get("a"));
    await world.advance(19_999);
    expect(got.state).toBe("pending");
    await world.advance(1);
    expect(got.error).toMatchObject({ code: "EUNKNOWN", cause: { code: "ETIMEDOUT" } });
  });
});

describe("the end", () => {
  it("close waits for what was sent, takes nothing more, and leaves nothing", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const got = client.get("a", { text: true });
    const closed = watch(client.close());
    await expect(client.get("b")).rejects.toMatchObject({ code: "EBADF" });
    await expect(client.connect()).rejects.toMatchObject({ code: "EBADF" });
    await world.settle();
    expect(closed.state).toBe("pending");
    world.server.say("+v\r\n");
    expect(await world.run(got)).toBe("v");
    await world.run(client.close());
    expect(closed.state).toBe("resolved");
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("close rejects what was not sent", async () => {
    const world = new ClientWorld();
    const client = world.client();
    const calls = [watch<unknown>(client.get("a")), watch<unknown>(client.connect())];
    await world.run(client.close());
    for (const { error } of calls) expect(error).toMatchObject({ code: "EBADF" });
    await world.advance(10_000);
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("close ends, with the connection, when the server does not answer any more", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const got = watch(client.get("a"));
    const closed = watch(client.close());
    await world.advance(20_000);
    expect(got.error).toMatchObject({ code: "EUNKNOWN" });
    expect(closed.state).toBe("resolved");
    await world.advance(60_000);
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("destroy: what was sent is of unknown fate", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const got = client.get("a");
    await world.settle();
    client.destroy();
    await expect(got).rejects.toMatchObject({ code: "EUNKNOWN" });
    await expect(client.get("b")).rejects.toMatchObject({ code: "EBADF" });
    await world.run(client.close());
    await world.advance(60_000);
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("await using closes", async () => {
    const world = new ClientWorld();
    world.listen();
    let kept: RedisClient;
    const using = async (): Promise<void> => {
      await using client = world.client();
      kept = client;
      await client.ping();
    };
    await world.run(using());
    await expect(kept!.ping()).rejects.toMatchObject({ code: "EBADF" });
    expect(world.left).toMatchObject({ holds: 0, streams: 0 });
  });

  it("keeps the process alive while commands wait, and only then", async () => {
    const world = new ClientWorld();
    const client = world.client();
    const pong = client.ping();
    expect(world.holds).toBe(1);
    world.listen();
    await world.advance(1000);
    await pong;
    expect(world.holds).toBe(0);
    world.server.answer = null;
    client.get("a").catch(() => {});
    expect(world.holds).toBe(1);
    client.destroy();
    await world.settle();
    expect(world.holds).toBe(0);
  });
});

describe("arguments", () => {
  it.each<[string, unknown[]]>([
    ["none", []],
    ["undefined", ["GET", undefined]],
    ["null", ["GET", null]],
    ["an array", ["DEL", ["a", "b"]]],
    ["NaN", ["SET", "a", Number.NaN]],
    ["a Date", ["SET", "a", new Date()]],
  ])("%s: thrown at the call, connected or not, and nothing is kept", async (_, args) => {
    const world = new ClientWorld();
    for (const client of [world.client(), await connected(world)]) {
      expect(() => client.command(...(args as Argument[]))).toThrow();
      expect(client.stats()).toMatchObject({ commands: 0, pending: 0 });
      expect(world.holds).toBe(0);
    }
  });

  it.each([
    ["subscribe", "a"],
    ["PSUBSCRIBE", "a"],
    ["SSUBSCRIBE", "a"],
    ["UNSUBSCRIBE"],
    ["PUNSUBSCRIBE"],
    ["SUNSUBSCRIBE"],
    ["MONITOR"],
    ["SELECT", "1"],
    ["RESET"],
    ["client", "reply", "OFF"],
  ])("%s would change what follows on the connection: EINVAL", (...command) => {
    const client = new ClientWorld().client();
    expect(() => client.command(...command)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => client.command(Buffer.from(command[0]), ...command.slice(1))).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });

  it("what other clients take, and what would mean something else here, is refused at the call", () => {
    const client = new ClientWorld().client();
    const hset = client.hset.bind(client) as (...args: unknown[]) => unknown;
    const set = client.set.bind(client) as (...args: unknown[]) => unknown;
    const scan = client.scan.bind(client) as (...args: unknown[]) => unknown;
    expect(() => hset("key", "field", "value")).toThrow(TypeError);
    expect(() => hset("key", ["field", "value"])).toThrow(TypeError);
    expect(() => hset("key", null)).toThrow(TypeError);
    expect(() => set("key", "value", "EX", 5)).toThrow(TypeError);
    expect(() => set("key", "value", { EX: 5 })).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => scan("0", { MATCH: "*" })).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(client.stats().commands).toBe(0);
  });

  it("what is no argument throws at the call, whatever else is wrong, and disturbs nothing", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const aborted = { signal: AbortSignal.abort() };
    for (const wrong of [null, undefined, {}, Number.NaN] as unknown as string[]) {
      expect(() => world.client().publish("a", wrong)).toThrow(TypeError);
      expect(() => client.publish("a", wrong)).toThrow(TypeError);
      expect(() => client.publish("a", wrong, aborted)).toThrow(TypeError);
    }
    expect(client.stats()).toMatchObject({ commands: 0, pending: 0 });
    void client.publish("a", "b").catch(() => {});
    await world.settle();
    expect(world.server.take()).toBe("*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$1\r\nb\r\n");
    client.destroy();
    expect(() => client.publish("a", null as unknown as string)).toThrow(TypeError);
    expect(() => client.command("SELECT", null as unknown as string)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });

  it("a reply of another kind is EPROTO for whoever asked, and for nobody else", async () => {
    const world = new ClientWorld();
    const client = await connected(world);
    const asked = [client.publish("a", "b"), client.hkeys("h"), client.hgetall("h")].map((call) =>
      watch<unknown>(call),
    );
    const got = client.get("k", { text: true });
    await world.settle();
    world.server.say("+OK\r\n:1\r\n*1\r\n$1\r\na\r\n$1\r\nv\r\n");
    await world.settle();
    for (const { error } of asked) expect(error).toMatchObject({ code: "EPROTO" });
    expect(await world.run(got)).toBe("v");
    expect(client.stats().connections).toBe(1);
  });
});
