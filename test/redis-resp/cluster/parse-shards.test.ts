import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClusterShards } from "../../../src/redis-resp/cluster/parse-shards.ts";
import { resp2, resp3, type Spelled } from "./replies.ts";

const PLAIN = { askedHost: "10.0.0.9", tls: false };

function node(id: string, port: number, more: { [key: string]: Spelled } = {}): Spelled {
  return {
    id,
    port,
    ip: "127.0.0.1",
    endpoint: "127.0.0.1",
    role: "master",
    "replication-offset": 28,
    health: "online",
    ...more,
  };
}

function shard(slots: number[], ...nodes: Spelled[]): Spelled {
  return { slots, nodes };
}

describe.each([
  ["RESP2", resp2],
  ["RESP3", resp3],
])("CLUSTER SHARDS in %s, as redis-server 7.0.15 answers", (_, form) => {
  it("the master of a shard has its slots, the replicas have their master", () => {
    const reply = form([
      shard([0, 5460, 16383, 16383], node("a", 30264), node("b", 20707, { role: "replica" })),
      shard([5461, 10922], node("c", 25121)),
    ]);
    expect(parseClusterShards(reply, PLAIN)).toEqual([
      {
        id: "a",
        host: "127.0.0.1",
        port: 30264,
        role: "master",
        masterId: null,
        health: "online",
        slots: [
          [0, 5460],
          [16383, 16383],
        ],
      },
      {
        id: "b",
        host: "127.0.0.1",
        port: 20707,
        role: "replica",
        masterId: "a",
        health: "online",
        slots: [],
      },
      {
        id: "c",
        host: "127.0.0.1",
        port: 25121,
        role: "master",
        masterId: null,
        health: "online",
        slots: [[5461, 10922]],
      },
    ]);
  });

  it("after a failover the old master has a shard without slots", () => {
    const reply = form([shard([0, 5460], node("b", 20707)), shard([], node("a", 30264, { health: "fail" }))]);
    expect(parseClusterShards(reply, PLAIN)).toMatchObject([
      { id: "b", health: "online", slots: [[0, 5460]] },
      { id: "a", health: "failed", slots: [] },
    ]);
  });

  it("or, with shard ids, stands beside the new one and serves nothing", () => {
    const reply = form([
      shard(
        [0, 5460],
        node("a", 30264, { health: "failed" }),
        node("b", 20707),
        node("c", 1, { role: "replica", health: "loading" }),
      ),
    ]);
    expect(parseClusterShards(reply, PLAIN)).toMatchObject([
      { id: "a", role: "master", health: "failed", slots: [] },
      { id: "b", role: "master", health: "online", slots: [[0, 5460]] },
      { id: "c", role: "replica", health: "loading", masterId: "b" },
    ]);
  });

  it("a master that failed keeps its slots until somebody takes over", () => {
    const reply = form([
      shard([0, 5460], node("a", 30264, { health: "fail" }), node("b", 2, { role: "replica" })),
    ]);
    expect(parseClusterShards(reply, PLAIN)).toMatchObject([
      { id: "a", health: "failed", slots: [[0, 5460]] },
      { id: "b", masterId: "a" },
    ]);
  });

  it("the TLS port is taken by those who speak TLS", () => {
    const both = form([shard([], node("a", 6379, { "tls-port": 6380 }))]);
    expect(parseClusterShards(both, PLAIN)[0]?.port).toBe(6379);
    expect(parseClusterShards(both, { ...PLAIN, tls: true })[0]?.port).toBe(6380);
    const { port: _port, ...onlyTls } = node("a", 0, { "tls-port": 6380 }) as { [key: string]: Spelled };
    expect(parseClusterShards(form([shard([], onlyTls)]), PLAIN)[0]?.port).toBe(6380);
  });

  it.each([
    ["a name", { endpoint: "node-b.example" }, "node-b.example"],
    ["no address at all is the host asked", { endpoint: "", ip: "" }, "10.0.0.9"],
    ["an unknown endpoint is the host asked", { endpoint: null }, "10.0.0.9"],
    ["an unknown name leaves the address", { endpoint: "?", ip: "127.0.0.1" }, "127.0.0.1"],
  ])("endpoint: %s", (_, endpoint, host) => {
    expect(parseClusterShards(form([shard([], node("a", 1, endpoint))]), PLAIN)[0]?.host).toBe(host);
  });
});

describe("what is not accepted", () => {
  it.each<[string, Spelled]>([
    ["no array", "OK"],
    ["a shard that is none", [7]],
    ["no slots", [{ nodes: [] }]],
    ["no nodes", [{ slots: [] }]],
    ["half a range", [shard([1], node("a", 1))]],
    ["a slot too high", [shard([0, 16384], node("a", 1))]],
    ["a slot that is none", [{ slots: ["__proto__", 1], nodes: [] }]],
  ])("%s", (_, reply) => {
    expect(() => parseClusterShards(resp3(reply), PLAIN)).toThrow(
      expect.objectContaining({ code: "EPROTO" }),
    );
  });

  it("a node without a port is left out", () => {
    expect(parseClusterShards(resp3([shard([], node("a", 0), node("b", 65536))]), PLAIN)).toEqual([]);
  });

  it("any reply is read or refused by name", () => {
    const { reply } = fc.letrec<{ reply: Spelled }>((tie) => ({
      reply: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Spelled>(null, 0, 16384, "slots", "nodes", "x"),
        fc.array(tie("reply"), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom("slots", "nodes", "port", "__proto__"), tie("reply")),
      ),
    }));
    fc.assert(
      fc.property(reply, fc.constantFrom(resp2, resp3), (value, form) => {
        try {
          parseClusterShards(form(value), PLAIN);
        } catch (error) {
          expect(error).toMatchObject({ code: "EPROTO" });
        }
      }),
    );
  });
});
