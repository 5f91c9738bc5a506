import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RedisClient } from "../../../src/redis-resp/index.ts";
import { stablePort } from "../../support/ports.ts";
import { within } from "../../support/wait.ts";
import { likeRedis, takeCommands } from "../scripted.ts";

/** A server over TCP that answers `GET x` with what the test says, other GETs with their key. */
class RawServer {
  /** The answer to `GET x`, once. */
  malformed: Buffer | null = null;
  /** The connection is reset when this key is asked for. */
  resetAt: string | null = null;
  readonly sockets: Socket[] = [];
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  async listen(): Promise<number> {
    const port = await stablePort();
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return port;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      const { commands, rest } = takeCommands(text + chunk.toString("latin1"));
      text = rest;
      for (const command of commands) {
        if (command[1] === this.resetAt) {
          socket.resetAndDestroy();
          return;
        }
        socket.write(this.#answer(command));
      }
    });
  }

  #answer(command: string[]): string | Buffer {
    const [name, key] = command;
    if (name !== "GET") return likeRedis(command);
    const { malformed } = this;
    if (key !== "x" || malformed === null) return `+${key}\r\n`;
    this.malformed = null;
    return malformed;
  }
}

let server: RawServer;
let client: RedisClient;

beforeEach(async () => {
  server = new RawServer();
  client = new RedisClient({ port: await server.listen(), reconnectInterval: 1, reconnectMaxInterval: 20 });
  await client.connect();
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const MALFORMED: [string, string][] = [
  ["a type that there is not", "@oops\r\n"],
  ["a length that is none", "$abc\r\n"],
  ["other bytes behind a bulk string", "$3\r\nabcXX"],
  ["a bulk string of -2", "$-2\r\n"],
  ["an array of -2", "*-2\r\n"],
  ["a letter in an integer", ":12a\r\n"],
  ["an integer without digits", ":\r\n"],
  ["a bulk string beyond the limit", "$1099511627776\r\n"],
  ["more elements than there may be", "*5000000000\r\n"],
  ["ioredis#2108: 20 000 arrays, one in the other", "*1\r\n".repeat(20_000)],
  ["LF without CR", "+OK\n"],
  ["a reply to nothing", "+x\r\n+y\r\n+z\r\n+too\r\n+many\r\n"],
];

describe("a malformed reply rejects all that wait, and the client connects anew", () => {
  it.each(MALFORMED)("%s: %j", async (_, bytes) => {
    const disconnected = new Promise<{ error: Error & { code?: string } }>((resolve) => {
      client.events.once("disconnect", resolve);
    });
    server.malformed = Buffer.from(bytes);
    const waiting = [client.get("x", { text: true }), client.command("BLOCK"), client.command("BLOCK")];
    const settled = await within(10_000, "all to be settled", Promise.allSettled(waiting));
    const { error } = await within(10_000, "the disconnect", disconnected);
    expect(error.code).toBe("EPROTO");
    for (const one of settled) {
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "EUNKNOWN", cause: error });
      // What came before the mistake counts.
      else expect(bytes.startsWith("+")).toBe(true);
    }
    expect(await within(10_000, "y", client.get("y", { text: true }))).toBe("y");
    expect(client.stats()).toMatchObject({ pending: 0, connections: 2 });
    expect(server.sockets).toHaveLength(2);
  });

  it.each<[string, string, unknown]>([
    ["an attribute is put aside", "|1\r\n+ttl\r\n:3600\r\n+OK\r\n", "OK"],
    ["a streamed string", "$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n", "Hello"],
    ["a streamed array", "*?\r\n:1\r\n:2\r\n.\r\n", [1, 2]],
    ["a push without a kind", ">0\r\n+OK\r\n", "OK"],
    ["a push whose kind is no string", ">1\r\n:1\r\n+OK\r\n", "OK"],
    [
      "a key __proto__",
      "%1\r\n$9\r\n__proto__\r\n%1\r\n+x\r\n:1\r\n",
      new Map([["__proto__", new Map([["x", 1]])]]),
    ],
  ])("but not: %s", async (_, bytes, expected) => {
    server.malformed = Buffer.from(bytes);
    expect(await within(10_000, "x", client.command("GET", "x", { text: true }))).toEqual(expected);
    expect(await within(10_000, "y", client.get("y", { text: true }))).toBe("y");
    expect(client.stats().connections).toBe(1);
  });

  it("an error to nobody is a farewell: named in the event, and the client connects anew", async () => {
    const disconnected = new Promise<{ error: Error }>((resolve) =>
      client.events.once("disconnect", resolve),
    );
    server.malformed = Buffer.from("+x\r\n-ERR you are not wanted\r\n");
    expect(await client.get("x", { text: true })).toBe("x");
    const { error } = await within(10_000, "the disconnect", disconnected);
    expect(error).toMatchObject({ code: "ERR", message: "ERR you are not wanted" });
    expect(await within(10_000, "y", client.get("y", { text: true }))).toBe("y");
  });

  it("node-redis#3209: what the old socket still says counts for nobody", async () => {
    server.malformed = Buffer.from("@oops\r\n");
    const [old] = server.sockets as [Socket];
    await expect(client.get("x")).rejects.toMatchObject({ code: "EUNKNOWN" });
    const got = client.get("y", { text: true });
    while (server.sockets.length < 2 && !old.destroyed) {
      old.write("+not yours\r\n");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await within(10_000, "y", got)).toBe("y");
  });

  it("node-redis#3282: writes into a connection that the server has ended reject, and nothing is thrown", async () => {
    for (let round = 0; round < 5; round++) {
      const { connections } = client.stats();
      (server.sockets.at(-1) as Socket).end();
      const settled: PromiseSettledResult<unknown>[] = [];
      while (client.stats().connections === connections) {
        settled.push(...(await Promise.allSettled([client.get("a", { text: true }), client.ping()])));
      }
      for (const one of settled) if (one.status === "rejected") expect(one.reason.code).toBe("EUNKNOWN");
    }
    expect(await client.get("y", { text: true })).toBe("y");
  });

  it("a reset under load: each call is settled once, and the client connects anew", async () => {
    server.resetAt = "500";
    const calls = Array.from({ length: 1000 }, (_, i) => client.get(`${i}`, { text: true }));
    for (const [i, one] of (await Promise.allSettled(calls)).entries()) {
      // The reset may overtake the last answers before it.
      if (one.status === "fulfilled") expect([one.value, i < 500]).toEqual([`${i}`, true]);
      else expect(one.reason).toMatchObject({ code: "EUNKNOWN" });
    }
    expect(await client.get("y", { text: true })).toBe("y");
  });
});
