import { describe, expect, it } from "vitest";
import type { RedisClient } from "../../../src/redis-resp/client/client.ts";
import type { Credentials } from "../../../src/redis-resp/connection/options.ts";
import { ClientWorld, commandsIn, HELLO_REPLY, likeRedis } from "../scripted.ts";

/** What the server of the last connection has been told, a line for each command; it answers nothing by itself. */
async function told(world: ClientWorld): Promise<string[]> {
  await world.settle();
  return commandsIn(world.server.take()).map((command) => command.join(" "));
}

function eventsOf(client: RedisClient): string[] {
  const seen: string[] = [];
  client.events
    .on("connect", ({ address }) => seen.push(`connect ${address}`))
    .on("disconnect", ({ address, error }) => seen.push(`disconnect ${address} ${error.code}`))
    .on("error", ({ error }) => seen.push(`error ${error.code} ${error.message}`));
  return seen;
}

describe("N-27: what is said before the first command", () => {
  it("HELLO 3 and a PING, then what waited", async () => {
    const world = new ClientWorld();
    world.listen(null);
    const client = world.client();
    const got = client.get("k", { text: true });
    expect(await told(world)).toEqual(["HELLO 3", "PING"]);
    world.server.say(HELLO_REPLY);
    expect(await told(world)).toEqual([]);
    world.server.say("+PONG\r\n");
    expect(await told(world)).toEqual(["GET k"]);
    world.server.say("$1\r\nv\r\n");
    expect(await world.run(got)).toBe("v");
    await world.run(client.close());
    expect(world.left).toMatchObject({ holds: 0, timers: 0, streams: 0 });
  });

  it("user, name and database, in RESP3", async () => {
    const world = new ClientWorld();
    world.listen(null);
    world
      .client({ username: "u", password: "p", clientName: "me", db: 3 })
      .ping()
      .catch(() => {});
    expect(await told(world)).toEqual(["HELLO 3 AUTH u p SETNAME me", "SELECT 3", "PING"]);
  });

  it("a password alone is the default user's", async () => {
    const world = new ClientWorld();
    world.listen(null);
    world
      .client({ password: "p" })
      .ping()
      .catch(() => {});
    expect(await told(world)).toEqual(["HELLO 3 AUTH default p", "PING"]);
  });

  it("in RESP2, and never HELLO", async () => {
    const world = new ClientWorld();
    world.listen(null);
    world
      .client({ protocol: 2, password: "p", clientName: "me", db: 3 })
      .ping()
      .catch(() => {});
    expect(await told(world)).toEqual(["AUTH p", "CLIENT SETNAME me", "SELECT 3", "PING"]);
  });

  it.each([
    ["NOPROTO", "-NOPROTO unsupported protocol version\r\n"],
    ["HELLO unknown", "-ERR unknown command 'HELLO', with args beginning with: '3' \r\n"],
  ])("%s: RESP2", async (_, refusal) => {
    const world = new ClientWorld();
    world.listen(null);
    const client = world.client({ username: "u", password: "p" });
    const pong = client.ping();
    expect(await told(world)).toEqual(["HELLO 3 AUTH u p", "PING"]);
    world.server.say(`${refusal}-NOAUTH Authentication required.\r\n`);
    expect(await told(world)).toEqual(["AUTH u p", "PING"]);
    world.server.say("+OK\r\n+PONG\r\n");
    expect(await told(world)).toEqual(["PING"]);
    world.server.say("+PONG\r\n");
    expect(await world.run(pong)).toBe("PONG");
  });

  it("credentials are asked for each connection anew", async () => {
    const world = new ClientWorld();
    world.listen(null);
    let asked = 0;
    const client = world.client({ credentials: async () => ({ username: "u", password: `p${++asked}` }) });
    client.ping().catch(() => {});
    expect((await told(world))[0]).toBe("HELLO 3 AUTH u p1");
    world.server.stream.destroy();
    await world.advance(1000);
    expect((await told(world))[0]).toBe("HELLO 3 AUTH u p2");
  });

  it("credentials that cannot be had are a failed attempt", async () => {
    const world = new ClientWorld();
    world.listen();
    let isDown = true;
    const client = world.client({
      credentials: async () => {
        if (isDown) throw new Error("the vault is closed");
        return { password: "p" };
      },
    });
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.settle();
    expect(seen).toEqual(["error EINVAL the vault is closed"]);
    isDown = false;
    await world.advance(5000);
    expect(await world.run(pong)).toBe("PONG");
  });
});

it("credentials that are none are a failed attempt", async () => {
  const world = new ClientWorld();
  world.listen();
  const client = world.client({ credentials: () => ({ username: "u" }) as unknown as Credentials });
  const seen = eventsOf(client);
  const attempt = expect(client.connect()).rejects.toMatchObject({ code: "EINVAL" });
  await world.settle();
  await attempt;
  expect(seen).toEqual([expect.stringMatching(/^error EINVAL an argument has to be a string.*undefined$/)]);
  expect(world.server.isEnded).toBe(true);
  client.destroy();
});

describe("a server that does not let us in", () => {
  it.each([
    "WRONGPASS invalid username-password pair",
    "NOAUTH HELLO must be called...",
    "ERR DB index is out of range",
  ])("%s: what waits is told so, and the attempts go on", async (refusal) => {
    const world = new ClientWorld();
    world.listen((command) => (command[0] === "HELLO" ? `-${refusal}\r\n` : likeRedis(command)));
    const client = world.client({ password: "p" });
    const seen = eventsOf(client);
    const connected = client.connect();
    const got = client.get("k");
    for (const promise of [connected, got] as Promise<unknown>[])
      await expect(world.run(promise)).rejects.toThrow(refusal);
    expect(seen).toEqual([`error ${refusal.split(" ")[0]} ${refusal}`]);
    world.listen();
    await world.advance(1000);
    expect(seen.at(-1)).toBe("connect 127.0.0.1:6379");
  });

  it("asks less and less often, up to half a minute", async () => {
    const world = new ClientWorld();
    world.listen(() => "-WRONGPASS no\r\n");
    world
      .client({ password: "p" })
      .connect()
      .catch(() => {});
    await world.advance(3_600_000);
    expect(world.network.dials.length).toBeLessThan(400);
  });

  it("LOADING: waits, and comes back within reconnectMaxInterval", async () => {
    const world = new ClientWorld();
    world.listen((command) => (command[0] === "PING" ? "-LOADING Redis is loading\r\n" : likeRedis(command)));
    const client = world.client({ reconnectMaxInterval: 500 });
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.advance(60_000);
    expect(seen.every((event) => event.startsWith("error LOADING"))).toBe(true);
    world.listen();
    await world.advance(500);
    expect(await world.run(pong)).toBe("PONG");
  });

  it("too many clients: named, and waited for", async () => {
    const world = new ClientWorld();
    world.network.listeners.set("tcp://127.0.0.1:6379", (stream) => {
      stream.start({ onData() {}, onDrain() {}, onEnd() {} });
      stream.write([Buffer.from("-ERR max number of clients reached\r\n")]);
      world.network.later(() => stream.end());
    });
    const client = world.client();
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.settle();
    expect(seen).toEqual(["error ERR ERR max number of clients reached"]);
    world.listen();
    await world.advance(5000);
    expect(await world.run(pong)).toBe("PONG");
  });

  it("who may not PING is let in; who may not SELECT is not", async () => {
    const world = new ClientWorld();
    world.listen((command) => (command[0] === "PING" ? "-NOPERM no ping\r\n" : likeRedis(command)));
    await world.run(world.client().connect());
    world.listen((command) => (command[0] === "SELECT" ? "-NOPERM no select\r\n" : likeRedis(command)));
    await expect(world.run(world.client({ db: 1 }).connect())).rejects.toMatchObject({ code: "NOPERM" });
  });

  it("MISCONF: a server that cannot save answers every PING so, and lets in all the same", async () => {
    const world = new ClientWorld();
    world.listen((command) => (command[0] === "PING" ? "-MISCONF cannot save\r\n" : likeRedis(command)));
    await world.run(world.client().connect());
    await world.run(world.client({ protocol: 2 }).connect());
  });

  it("ioredis#2099: a close in the middle of it is a failed attempt, never a connection", async () => {
    const world = new ClientWorld();
    world.listen(null);
    const client = world.client();
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.settle();
    world.server.say(`${HELLO_REPLY}+PONG\r\n`);
    world.server.stream.destroy(); // in the same breath as the last answer
    await world.settle();
    expect(seen.filter((event) => event.startsWith("connect"))).toHaveLength(seen.length - 1);
    world.listen();
    await world.advance(5000);
    expect(await world.run(pong)).toBe("PONG");
  });

  it("silence: given up after connectTimeout", async () => {
    const world = new ClientWorld();
    world.listen(() => null);
    const client = world.client({ connectTimeout: 300 });
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.advance(299);
    expect(seen).toEqual([]);
    await world.advance(1);
    expect(seen).toEqual(["error ETIMEDOUT the server did not let us in within 300 ms"]);
    world.listen();
    await world.advance(5000);
    expect(await world.run(pong)).toBe("PONG");
  });

  it("silence for commandTimeout: given up too, and nothing of the user's is of unknown fate", async () => {
    const world = new ClientWorld();
    world.listen(null);
    const client = world.client({ commandTimeout: 100 });
    const seen = eventsOf(client);
    const connected = expect(client.connect()).rejects.toMatchObject({ code: "ETIMEDOUT" });
    await world.advance(150);
    await connected;
    expect(seen).toEqual(["error ETIMEDOUT no reply within 100 ms"]);
    client.destroy();
  });

  it("a deadline that is judged late lets the answer be read first", async () => {
    const world = new ClientWorld();
    world.listen(null);
    const client = world.client({ connectTimeout: 300 });
    const connected = client.connect();
    await world.settle();
    world.server.say(`${HELLO_REPLY}+PONG\r\n`);
    await world.block(1000);
    await world.run(connected);
  });
});

describe("nobody there", () => {
  it("commands wait; connect says what is wrong; the delay grows to reconnectMaxInterval", async () => {
    const world = new ClientWorld();
    const client = world.client({ reconnectInterval: 10, reconnectMaxInterval: 100 });
    const seen = eventsOf(client);
    const pong = client.ping();
    await expect(world.run(client.connect())).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await world.advance(10_000);
    expect(seen.length).toBeGreaterThan(50);
    world.listen();
    await world.advance(100);
    expect(await world.run(pong)).toBe("PONG");
  });

  it("locate is asked before each attempt, and may fail", async () => {
    const world = new ClientWorld();
    world.listen();
    let asked = 0;
    const client = world.client({
      locate: async () => {
        asked += 1;
        if (asked === 1) throw new Error("nobody knows");
        return { host: "127.0.0.1", port: asked === 2 ? 1 : 6379 };
      },
    });
    const seen = eventsOf(client);
    const pong = client.ping();
    await world.advance(5000);
    expect(await world.run(pong)).toBe("PONG");
    expect(seen.map((event) => event.split(" ")[1])).toEqual(["EINVAL", "ECONNREFUSED", "127.0.0.1:6379"]);
    expect(asked).toBe(3);
  });

  it("a Unix socket where TLS was asked for is not dialled", async () => {
    const world = new ClientWorld();
    const client = world.client({ locate: () => ({ path: "/run/redis.sock" }), tls: true });
    await expect(world.run(client.connect())).rejects.toThrow("no TLS over a Unix socket");
    expect(world.network.dials).toEqual([]);
  });

  it("the first attempt after a loss is made at once", async () => {
    const world = new ClientWorld();
    world.listen();
    const client = world.client();
    await world.run(client.connect());
    await world.advance(10_000);
    const { time } = world;
    world.server.stream.destroy();
    await world.advance(1);
    expect(world.network.dials.at(-1)?.at).toBeLessThanOrEqual(time + 1);
    expect(client.stats().connections).toBe(2);
  });
});
