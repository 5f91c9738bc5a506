import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseClusterNodes } from "../../../src/redis-resp/cluster/parse-nodes.ts";

const ASKED = "10.0.0.9";
const A = "91fa2f6fa45796227de24e70e54cf39ef3959b99";
const B = "16f6053e831f98939c8179a0b8984a45a2bc27fc";
const C = "e2ecf0b928d8404fdd3835699fcd7071c6b227b3";

/** One line as a node that is asked for itself shows it. */
function line(address: string, flags: string, rest = "- 0 0 1 connected"): string {
  return `${A} ${address} ${flags} ${rest}\n`;
}

describe("CLUSTER NODES, as redis-server 7.0.15 answers", () => {
  it("masters with their slots, replicas with their master", () => {
    const reply =
      `29f6309a3e3b421627086b9d313c310d3824fed0 127.0.0.1:22387@32387 slave ${B} 0 1795388976080 2 connected\n` +
      `${A} 127.0.0.1:30264@40264 myself,master - 0 1795388975000 1 connected 0-5460\n` +
      `${B} 127.0.0.1:25121@35121,node-b.example master - 0 1795388978096 2 connected 5461-10922 16383\n`;
    expect(parseClusterNodes(reply, ASKED)).toEqual([
      {
        id: "29f6309a3e3b421627086b9d313c310d3824fed0",
        host: "127.0.0.1",
        port: 22387,
        role: "replica",
        masterId: B,
        health: "online",
        slots: [],
      },
      {
        id: A,
        host: "127.0.0.1",
        port: 30264,
        role: "master",
        masterId: null,
        health: "online",
        slots: [[0, 5460]],
      },
      {
        id: B,
        host: "127.0.0.1",
        port: 25121,
        role: "master",
        masterId: null,
        health: "online",
        slots: [
          [5461, 10922],
          [16383, 16383],
        ],
      },
    ]);
  });

  it("a slot on its way belongs to whom it is taken from", () => {
    const from = `- 0 1795388977000 1 connected 0-5460 [93->-${B}]`;
    const to = `- 0 1795388977000 1 connected [93-<-${A}]`;
    expect(parseClusterNodes(line("127.0.0.1:1@2", "myself,master", from), ASKED)[0]?.slots).toEqual([
      [0, 5460],
    ]);
    expect(parseClusterNodes(line("127.0.0.1:1@2", "myself,master", to), ASKED)[0]?.slots).toEqual([]);
  });

  it("a node that failed, and one that only the node asked suspects", () => {
    const failed = line(
      "127.0.0.1:30264@40264",
      "master,fail",
      "- 1795389009851 1795389008845 1 disconnected 0-5460",
    );
    expect(parseClusterNodes(failed, ASKED)[0]).toMatchObject({ health: "failed", slots: [[0, 5460]] });
    const suspect = line("127.0.0.1:30264@40264", "slave,fail?", `${C} 1 1 1 connected`);
    expect(parseClusterNodes(suspect, ASKED)[0]).toMatchObject({ health: "suspect", masterId: C });
  });

  it("a replica whose master is not known", () => {
    expect(parseClusterNodes(line("127.0.0.1:1@2", "slave,nofailover"), ASKED)[0]).toMatchObject({
      role: "replica",
      masterId: null,
    });
  });

  it("who cannot be dialled is left out: a handshake, no address, no port", () => {
    const reply =
      "aca33a5f95b047ec8d34c8f808e5789af6e1c915 127.0.0.1:1@10001 handshake - 0 0 0 disconnected\n" +
      line(":0@0", "master,noaddr", "- 1 1 1 disconnected") +
      line("127.0.0.1:6379@16379", "master,fail,noaddr", "- 1 1 1 disconnected") +
      line("127.0.0.1:0@0", "master");
    expect(parseClusterNodes(reply, ASKED)).toEqual([]);
  });
});

describe("addresses", () => {
  it.each([
    ["127.0.0.1:6379@16379", "127.0.0.1", 6379],
    ["127.0.0.1:6379", "127.0.0.1", 6379],
    ["::1:25121@35121", "::1", 25121],
    ["2001:db8::1:7000@17000,node-b.example", "2001:db8::1", 7000],
    ["127.0.0.1:7000@17000,", "127.0.0.1", 7000],
    [
      "127.0.0.1:7000@17000,name,tls-port=0,shard-id=69bc080733d1355567173199cff4a6a039a2f024",
      "127.0.0.1",
      7000,
    ],
    [":6379@16379", ASKED, 6379],
  ])("%s", (address, host, port) => {
    expect(parseClusterNodes(line(address, "myself,master"), ASKED)).toMatchObject([{ host, port }]);
  });
});

describe("what is not accepted", () => {
  it.each([
    ["too few fields", `${A} 127.0.0.1:6379@16379 master - 0 0 1\n`],
    ["no address", line("nowhere", "master")],
    ["a slot too high", line("h:1@2", "master", "- 0 0 1 connected 16384")],
    ["a range the wrong way", line("h:1@2", "master", "- 0 0 1 connected 2-1")],
    ["no slot", line("h:1@2", "master", "- 0 0 1 connected __proto__")],
    ["another reply", "ERR This instance has cluster support disabled"],
  ])("%s", (_, reply) => {
    expect(() => parseClusterNodes(reply, ASKED)).toThrow(expect.objectContaining({ code: "EPROTO" }));
  });

  it("nothing at all is a cluster of nobody", () => {
    expect(parseClusterNodes("", ASKED)).toEqual([]);
  });

  it("any text is read or refused by name", () => {
    const field = fc.oneof(fc.string(), fc.constantFrom("h:1@2", "master", "-", "0-1", "[1->-x]", "16384"));
    const text = fc.oneof(
      fc.string(),
      fc.array(field, { maxLength: 12 }).map((fields) => fields.join(" ")),
    );
    fc.assert(
      fc.property(text, (reply) => {
        try {
          for (const { host, port } of parseClusterNodes(reply, ASKED)) {
            expect(host.length > 0 && port > 0).toBe(true);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: "EPROTO" });
        }
      }),
    );
  });
});
