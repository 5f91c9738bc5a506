import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type BrokerOptions, RedisBroker, RedisClient } from "../../../src/redis-resp/index.ts";
import type { Environment } from "../../../src/runtime/environment.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { useChildren } from "../../support/children.ts";
import { stablePort } from "../../support/ports.ts";
import { until } from "../../support/wait.ts";
import { encode, RawClient } from "./raw-client.ts";

const open: (RedisBroker | RawClient)[] = [];
const children = useChildren();

afterEach(async () => {
  for (const one of open.splice(0)) {
    if (one instanceof RedisBroker) await one.close();
    else one.destroy();
  }
});

interface Deadline {
  milliseconds: number;
  callback: () => void;
  isCancelled: boolean;
}

async function listening(options: BrokerOptions = {}): Promise<RedisBroker> {
  const broker = new RedisBroker(options);
  open.push(broker);
  await broker.listen();
  return broker;
}

async function client(broker: RedisBroker): Promise<RawClient> {
  const connected = await RawClient.connect(broker.address);
  open.push(connected);
  return connected;
}

describe("options", () => {
  it.each([
    [{ host: "0.0.0.0" }],
    [{ host: "*" }],
    [{ host: "::" }],
    [{ host: "192.0.2.1" }],
    [{ host: "example.test" }],
    [{ host: "" }],
    [{ password: "" }],
    [{ port: 65_536 }],
    [{ port: 1.5 }],
    [{ maxClients: 0 }],
    [{ prot: 1 }],
  ])("%j is refused: EINVAL", (options) => {
    expect(() => new RedisBroker(options as BrokerOptions)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });

  it.each([[{ host: 1 }], [{ password: 1 }], [{ cluster: 1 }], [{ port: "1" }], [null]])(
    "%j is a TypeError",
    (options) => {
      expect(() => new RedisBroker(options as unknown as BrokerOptions)).toThrow(TypeError);
    },
  );

  it("beyond loopback with a password, and on loopback without", async () => {
    for (const options of [
      { host: "*", password: "x" },
      { host: "localhost" },
      { host: "127.0.0.2" },
      { host: "[::1]" },
    ]) {
      await using broker = new RedisBroker(options);
      await broker.listen().catch((error) => {
        // A machine without IPv6.
        if (options.host !== "[::1]") throw error;
      });
    }
  });
});

describe("listening", () => {
  it("answers on the address that it gives, and frees it", async () => {
    const port = await stablePort();
    const broker = await listening({ port });
    expect(broker.address).toEqual({ host: "127.0.0.1", port });
    expect(await (await client(broker)).quit("PING")).toBe("+PONG\r\n+OK\r\n");
    await broker.close();
    expect(() => broker.address).toThrow(expect.objectContaining({ code: "EBADF" }));
    expect((await listening({ port })).address.port).toBe(port);
  });

  it("two on one port: EADDRINUSE, and the second may try again", async () => {
    const first = await listening({ port: await stablePort() });
    const second = new RedisBroker({ port: first.address.port });
    open.push(second);
    await expect(second.listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.close();
    await second.listen();
    expect(second.address.port).toBeGreaterThan(0);
  });

  it("twice: EBUSY; after close: EBADF; closed meanwhile: EBADF", async () => {
    const broker = await listening();
    await expect(broker.listen()).rejects.toMatchObject({ code: "EBUSY" });
    await broker.close();
    await expect(broker.listen()).rejects.toMatchObject({ code: "EBADF" });
    const port = await stablePort();
    const hasty = new RedisBroker({ port });
    const listened = hasty.listen();
    listened.catch(() => {});
    await hasty.close();
    await expect(listened).rejects.toMatchObject({ code: "EBADF" });
    expect((await listening({ port })).address.port).toBe(port);
  });

  it("close ends all connections, also those that wait for more, and may be called again", async () => {
    const broker = await listening();
    const idle = await client(broker);
    const half = (await client(broker)).write("*1\r\n$4\r\nPI");
    await idle.ask();
    await broker.close();
    await broker.close();
    await Promise.all([idle.closed(), half.closed()]);
    expect(broker.stats().clients).toBe(0);
  });

  it("keeps the process alive until it is closed, then lets it end by itself", async () => {
    const child = children.node(new URL("./short-lived.ts", import.meta.url));
    await child.line(/^alive$/);
    await child.line(/^closed$/);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });
});

describe("clients", () => {
  it("one too many is told so and closed", async () => {
    const broker = await listening({ maxClients: 1 });
    const first = await client(broker);
    await first.ask("PING");
    expect(await (await client(broker)).closed()).toBe("-ERR max number of clients reached\r\n");
    await first.quit();
    await until("the first one is gone", () => broker.stats().clients === 0);
    expect(await (await client(broker)).quit()).toBe("+OK\r\n");
    expect(broker.stats()).toMatchObject({ connections: 3, refused: 1 });
  });

  it("one that sends and closes its side at once gets its replies", async () => {
    const broker = await listening();
    const { host, port } = broker.address;
    const socket = connect({ host, port, allowHalfOpen: true });
    await once(socket, "connect");
    socket.end("PING\r\nECHO bye\r\n");
    const received: Buffer[] = [];
    socket.on("data", (chunk) => received.push(chunk));
    await once(socket, "close");
    expect(Buffer.concat(received).toString()).toBe("+PONG\r\n$3\r\nbye\r\n");
  });

  it("the bad bytes of one cost nobody else anything", async () => {
    const broker = await listening();
    const good = await client(broker);
    await good.ask("SUBSCRIBE a");
    const bad = await client(broker);
    expect(await bad.write("*1\r\n!\r\n").closed()).toBe("-ERR Protocol error: expected '$', got '!'\r\n");
    expect(await good.ask()).toBe("");
  });

  it("one whose request outgrows the query buffer is closed without a word", async () => {
    const broker = await listening({ maxQueryBuffer: 10_000 });
    expect(await (await client(broker)).write(`*1\r\n$20000\r\n${"x".repeat(15_000)}`).closed()).toBe("");
  });

  it("a reset forgets what was subscribed", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask("SUBSCRIBE a", "PSUBSCRIBE b", "SSUBSCRIBE c");
    expect(broker.stats()).toMatchObject({ channels: 1, patterns: 1, shardChannels: 1 });
    one.destroy();
    await until("it is gone", () => broker.stats().clients === 0);
    expect(broker.stats()).toMatchObject({ channels: 0, patterns: 0, shardChannels: 0 });
  });

  it("our own client", async () => {
    const broker = await listening({ password: "secret" });
    await using ours = new RedisClient({ ...broker.address, password: "secret" });
    expect(await ours.publish("a", "b")).toBe(0);
    await ours.hset("h", { a: "1" });
    expect(await ours.hget("h", "a")).toEqual(Buffer.from("1"));
    await using stranger = new RedisClient(broker.address);
    await expect(stranger.command("GET", "a")).rejects.toMatchObject({ code: "NOAUTH" });
  });
});

describe("too much to write", () => {
  const payload = "x".repeat(100_000);

  /** A subscriber that does not read. */
  async function sleeper(broker: RedisBroker): Promise<RawClient> {
    const subscriber = await client(broker);
    await subscriber.ask("SUBSCRIBE a");
    subscriber.socket.pause();
    return subscriber;
  }

  it("a subscriber is closed over the hard limit, the others are not", async () => {
    const broker = await listening({ maxOutput: 1_000_000 });
    const slow = await sleeper(broker);
    const quick = await client(broker);
    await quick.ask("SUBSCRIBE a");
    const publisher = await client(broker);
    let published = 0;
    while (broker.stats().closedForOutput === 0) {
      await publisher.ask(...Array.from({ length: 10 }, () => ["PUBLISH", "a", payload]));
      published += 10;
    }
    expect(broker.stats().channels).toBe(1);
    slow.socket.resume();
    const received = await slow.closed();
    // Cut somewhere, perhaps inside a message; what came is in order and whole.
    expect(received.length).toBeLessThan(published * payload.length);
    await quick.until(() => quick.size > published * payload.length);
  });

  /** A broker whose timers are set off by hand, with a subscriber for whom more than its soft limit waits. */
  async function overSoftLimit(): Promise<{ broker: RedisBroker; slow: RawClient; timers: Deadline[] }> {
    const timers: Deadline[] = [];
    const environment: Environment = {
      ...nodeEnvironment(),
      setTimer(milliseconds, callback) {
        const deadline: Deadline = { milliseconds, callback, isCancelled: false };
        timers.push(deadline);
        return {
          cancel: () => {
            deadline.isCancelled = true;
          },
        };
      },
    };
    const broker = new RedisBroker({ softOutput: 500_000, softOutputTime: 300 }, environment);
    open.push(broker);
    await broker.listen();
    const slow = await sleeper(broker);
    const publisher = await client(broker);
    // More than the system takes for it.
    await publisher.ask(...Array.from({ length: 80 }, () => ["PUBLISH", "a", payload]));
    await until("too much waits for it", () => timers.length > 0);
    return { broker, slow, timers };
  }

  it("or when the soft limit is exceeded for too long", async () => {
    const { broker, slow, timers } = await overSoftLimit();
    expect(timers).toMatchObject([{ milliseconds: 300, isCancelled: false }]);
    timers[0]?.callback();
    expect(broker.stats()).toMatchObject({ closedForOutput: 1, channels: 0 });
    slow.socket.resume();
    await slow.closed();
  });

  it("not when it catches up in time", async () => {
    const { broker, slow, timers } = await overSoftLimit();
    const message = `*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$${payload.length}\r\n${payload}\r\n`;
    const whole = slow.size + 80 * message.length;
    slow.socket.resume();
    await slow.until(() => slow.size === whole);
    await until("its deadline is off", () => timers[0]?.isCancelled === true);
    expect(broker.stats().closedForOutput).toBe(0);
    expect(await slow.ask()).toBe("");
  });

  it("a client that asks and does not read has to wait, and then gets everything in order", async () => {
    const broker = await listening({ maxOutput: 1_000_000 });
    const greedy = await client(broker);
    await greedy.ask(["SET", "large", payload]);
    greedy.socket.pause();
    const before = greedy.size;
    const requests = 300;
    greedy.write(Buffer.concat(Array.from({ length: requests }, () => encode("GET large"))));
    const publisher = await client(broker);
    await publisher.ask();
    const asked = broker.stats().commands;
    expect(asked).toBeLessThan(requests);
    greedy.socket.resume();
    const reply = `$${payload.length}\r\n${payload}\r\n`.length;
    await greedy.until(() => greedy.size === before + requests * reply);
    expect(await greedy.ask("PING")).toBe("+PONG\r\n");
  });

  it("keys: OOM over the limit, until there is room again", async () => {
    const broker = await listening({ maxMemory: 10_000 });
    const one = await client(broker);
    const large = "x".repeat(6000);
    const refused = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    expect(
      await one.ask(["SET", "a", large], ["SET", "b", large], ["HSET", "h", "f", large], "GET none", "DEL a"),
    ).toBe(`+OK\r\n${refused}${refused}$-1\r\n:1\r\n`);
    expect(await one.ask(["SET", "b", large])).toBe("+OK\r\n");
    expect(broker.stats()).toMatchObject({ keys: 1, memory: 6065 });
  });
});

describe("writing", () => {
  it("the replies to one read leave together", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask();
    let chunks = 0;
    one.socket.on("data", () => {
      chunks += 1;
    });
    await one.ask(...Array.from({ length: 500 }, () => "PING"));
    expect(chunks).toBe(1);
  });

  it("an INFO of its own", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask("SET a 1", "SET b 1 EX 100");
    const info = await one.ask("INFO");
    expect(info).toContain("\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n");
    expect(info).toContain("\r\nloading:0\r\n");
    expect(info).toContain("\r\nrole:master\r\n");
    expect(info).toContain("\r\ncluster_enabled:0\r\n");
    expect(info).toContain("\r\ndb0:keys=2,expires=1,avg_ttl=0\r\n");
    expect(await one.ask("HELLO 3", "INFO cluster")).toContain(
      "\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n",
    );
  });
});
