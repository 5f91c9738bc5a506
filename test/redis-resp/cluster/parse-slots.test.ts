import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClusterSlots } from "../../../src/redis-resp/cluster/parse-slots.ts";
import { resp2, resp3, type Spelled } from "./replies.ts";

const ASKED = "10.0.0.9";

describe.each([
  ["RESP2", resp2],
  ["RESP3", resp3],
])("CLUSTER SLOTS in %s, as redis-server 7.0.15 answers", (_, form) => {
  it("master first, then its replicas; one node may have several ranges", () => {
    const reply = form([
      [0, 5460, ["127.0.0.1", 30264, "a", []], ["127.0.0.1", 20707, "b", []]],
      [5461, 10922, ["127.0.0.1", 25121, "c", { hostname: "node-b.example" }]],
      [16383, 16383, ["127.0.0.1", 30264, "a", []], ["127.0.0.1", 20707, "b", []]],
    ]);
    expect(parseClusterSlots(reply, ASKED)).toEqual([
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

  it.each<[string, Spelled[], string]>([
    ["a name", ["node-b.example", 1, "a", { ip: "127.0.0.1" }], "node-b.example"],
    ["null is the host asked", [null, 1, "a", { ip: "127.0.0.1" }], ASKED],
    ["empty is the host asked", ["", 1, "a", []], ASKED],
    ["an unknown name leaves the address", ["?", 1, "a", { ip: "127.0.0.1" }], "127.0.0.1"],
    ["IPv6", ["::1", 1, "a", []], "::1"],
  ])("endpoint: %s", (_, node, host) => {
    expect(parseClusterSlots(form([[0, 1, node]]), ASKED)[0]?.host).toBe(host);
  });
});

describe("older servers", () => {
  it("no metadata (before 7.0), no id (before 4.0)", () => {
    expect(parseClusterSlots(resp2([[0, 1, ["127.0.0.1", 6379, "a"]]]), ASKED)[0]?.id).toBe("a");
    const reply = resp2([
      [0, 1, ["127.0.0.1", 6379], ["127.0.0.1", 6380]],
      [3, 4, ["127.0.0.1", 6379], ["127.0.0.1", 6380]],
    ]);
    expect(parseClusterSlots(reply, ASKED)).toMatchObject([
      {
        id: "127.0.0.1:6379",
        slots: [
          [0, 1],
          [3, 4],
        ],
      },
      { id: "127.0.0.1:6380", masterId: "127.0.0.1:6379" },
    ]);
  });
});

describe("what is not accepted", () => {
  it.each<[string, Spelled]>([
    ["no array", "OK"],
    ["an entry that is none", [7]],
    ["a slot too high", [[0, 16384, ["h", 1]]]],
    ["a range the wrong way", [[2, 1, ["h", 1]]]],
    ["a slot that is none", [["__proto__", 1, ["h", 1]]]],
    ["a node that is none", [[0, 1, "h:1"]]],
  ])("%s", (_, reply) => {
    expect(() => parseClusterSlots(resp2(reply), ASKED)).toThrow(expect.objectContaining({ code: "EPROTO" }));
  });

  it("a node without a port is left out, and its slots have no owner", () => {
    expect(parseClusterSlots(resp2([[0, 1, ["h", 0, "a"], ["h", 1, "b"]]]), ASKED)).toEqual([
      { id: "b", host: "h", port: 1, role: "replica", masterId: null, health: "online", slots: [] },
    ]);
  });

  it("any reply is read or refused by name", () => {
    const { reply } = fc.letrec<{ reply: Spelled }>((tie) => ({
      reply: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<Spelled>(null, 0, 16384, "", "x"),
        fc.array(tie("reply"), { maxLength: 5 }),
        fc.dictionary(fc.constantFrom("ip", "__proto__"), tie("reply")),
      ),
    }));
    fc.assert(
      fc.property(reply, fc.constantFrom(resp2, resp3), (value, form) => {
        try {
          parseClusterSlots(form(value), ASKED);
        } catch (error) {
          expect(error).toMatchObject({ code: "EPROTO" });
        }
      }),
    );
  });
});
