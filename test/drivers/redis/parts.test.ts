import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig, RedisPubSub } from "../../../src/drivers/index.ts";
import { channelsOf, isOfTheServer } from "../../../src/drivers/redis/channels.ts";
import { type AskNode, readClusterView } from "../../../src/drivers/redis/cluster-view.ts";
import { Doubles } from "../../../src/drivers/redis/doubles.ts";
import { isHaMessage, mastersIn } from "../../../src/drivers/redis/ha-message.ts";
import { nameOf, parseAddress, parseHosts } from "../../../src/drivers/redis/node-address.ts";
import { Outbox, Outgoing } from "../../../src/drivers/redis/outbox.ts";
import { RedisMgt } from "../../../src/drivers/redis/redis-mgt.ts";
import { resolveRedisOptions } from "../../../src/drivers/redis/redis-options.ts";
import { ZmqError } from "../../../src/errors.ts";
import type { ReceivedMessage } from "../../../src/redis-resp/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";

const node = (port: number) => ({ host: "10.0.0.1", port });
const masterAt = (port: number) => ({ id: `${port}`, address: node(port) });

describe("addresses of Redis servers", () => {
  it.each([
    ["10.0.0.1:6379", "10.0.0.1", 6379],
    ["db.example.com:1", "db.example.com", 1],
    [" [::1]:65535 ", "::1", 65_535],
    ["fe80::1:6379", "fe80::1", 6379],
    ["10.0.0.1:6379@16379", "10.0.0.1", 6379],
    ["10.0.0.1:6379@16379,db.example.com", "10.0.0.1", 6379],
  ])("%s", (text, host, port) => expect(parseAddress(text)).toEqual({ host, port }));

  it.each(["", "host", ":6379", "host:", "host:0", "host:65536", "a:b:6379", "ho st:1", "host:1x", "[x]y:1"])(
    "%j is none",
    (text) => {
      expect(parseAddress(text)).toBeNull();
      expect(() => parseHosts(["10.0.0.1:6379", text])).toThrow(
        expect.objectContaining({ code: "EINVAL", option: "remoteDbHosts" }),
      );
    },
  );

  it("have one name, however they are written", () => {
    expect(nameOf({ host: "FE80::A", port: 1 })).toBe("[fe80::a]:1");
    expect(nameOf({ host: "DB.example.com", port: 1 })).toBe("db.example.com:1");
  });
});

describe("options of the Redis driver", () => {
  it("are checked when it is made", () => {
    expect(() => new RedisPubSub({ remoteDbHost: "x" } as never)).toThrow(
      expect.objectContaining({ name: "UnknownOptionError", nearest: "remoteDbHosts" }),
    );
    expect(() => new RedisPubSub({ remoteDbHosts: [] })).toThrow(/remoteDbHosts is empty/);
    expect(() => new RedisPubSub({ remoteDbHosts: ["x"] })).toThrow(/x is no host:port/);
    expect(() => new RedisPubSub({ publishRetryTimes: 0 })).toThrow(/publishRetryTimes/);
    expect(() => new RedisPubSub({ connection: { pasword: "x" } as never })).toThrow(
      /unknown option: pasword/,
    );
    expect(() => new RedisPubSub({ connection: { reconnectInterval: 1 } as never })).toThrow(
      /unknown option: reconnectInterval/, // it has a name in the configuration
    );
    expect(() => new RedisPubSub({ connection: null as never })).toThrow(TypeError);
    expect(() => new RedisPubSub({ connection: { db: -1 } })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    expect(() => new RedisPubSub(null as never)).toThrow(TypeError);
  });

  it("have Dragonflow's names in a file: remote_db_ip and remote_db_port unless remote_db_hosts says more", () => {
    const hosts = (env: Record<string, string>) =>
      resolveRedisOptions({ ...loadConfig({ env }) }).hosts.map(nameOf);
    expect(hosts({})).toEqual(["127.0.0.1:4001"]);
    expect(hosts({ DF_REMOTE_DB_IP: "::1", DF_REMOTE_DB_PORT: "6379" })).toEqual(["[::1]:6379"]);
    expect(hosts({ DF_REMOTE_DB_HOSTS: "a:1, 10.0.0.2:2" })).toEqual(["a:1", "10.0.0.2:2"]);
    expect(loadConfig({ env: { DF_PUBLISH_RETRY_TIMES: "7" } }).publishRetryTimes).toBe(7);
  });

  it("a handshake or a heartbeat without end", () => {
    const { connection } = resolveRedisOptions({
      handshakeInterval: 0,
      heartbeatInterval: 0,
      heartbeatTimeout: 0,
    });
    expect(connection).toMatchObject({
      connectTimeout: 2 ** 31 - 1,
      pingInterval: 0,
      pingTimeout: 2 ** 31 - 1,
    });
  });
});

describe("RedisMgt: which server to talk to", () => {
  /** Answers by port; those without one do not answer. @param idle those that know of no slots. */
  function world(answers: Record<number, readonly number[]>, idle: readonly number[] = []) {
    const asked: number[] = [];
    const ask: AskNode = async ({ port }) => {
      asked.push(port);
      const masters = answers[port];
      if (masters === undefined) throw new ZmqError("ECONNREFUSED", `${port}`);
      return { id: `${port}`, masters: masters.map(masterAt), hasSlots: !idle.includes(port) };
    };
    return { ask, asked, answers };
  }
  const mgtOf = (...seeds: number[]) =>
    new RedisMgt(seeds.map(node), { ...nodeEnvironment(), random: () => 0 });

  it("asks those it knows in turn, and takes the first answer", async () => {
    const { ask, asked } = world({ 2: [4, 5], 3: [6] });
    const mgt = mgtOf(1, 2, 3);
    expect(await mgt.selectNode(ask)).toEqual(node(4));
    expect(asked).toEqual([1, 2]);
    expect(await mgt.selectNode(ask)).toEqual(node(4));
    expect(asked).toEqual([1, 2]);
  });

  it("passes over nodes that failed, until they have worked again", async () => {
    const { ask } = world({ 1: [1, 2, 3] });
    const mgt = mgtOf(1);
    await mgt.selectNode(ask);
    mgt.failed(node(1), ask);
    mgt.failed(node(2), ask);
    expect(await mgt.selectNode(ask)).toEqual(node(3));
    mgt.worked(node(2));
    expect(await mgt.selectNode(ask)).toEqual(node(2));
  });

  it("learns who is master in the place of one that failed", async () => {
    const { ask, answers } = world({ 1: [1, 2], 2: [1, 2] });
    const mgt = mgtOf(1, 2);
    await mgt.selectNode(ask);
    delete answers[1];
    answers[2] = [2, 3];
    mgt.failed(node(1), ask);
    await mgt.refresh(ask);
    expect(mgt.masters).toEqual([node(2), node(3)]);
  });

  it("does not take the word of a node that knows of itself only, as one does that has left its cluster, where another knows more", async () => {
    const { ask, asked, answers } = world({ 1: [1], 2: [2, 3], 3: [2, 3] });
    const mgt = mgtOf(1, 2);
    expect(await mgt.selectNode(ask)).toEqual(node(2));
    expect(asked).toEqual([1, 2]);
    answers[2] = [2];
    await mgt.refresh(ask);
    expect(mgt.masters).toEqual([node(2), node(3)]);
    delete answers[3];
    await mgt.refresh(ask);
    expect(mgt.masters).toEqual([node(2)]);
  });

  it("of those that know of themselves only, takes the first that serves slots, and only else the first", async () => {
    const { ask, answers } = world({ 1: [1], 2: [2], 3: [3], 4: [4] }, [1, 2]);
    const mgt = mgtOf(1, 2, 3, 4);
    expect(await mgt.selectNode(ask)).toEqual(node(3));
    delete answers[3];
    delete answers[4];
    await mgt.refresh(ask);
    expect(mgt.masters).toEqual([node(1)]);
  });

  it("begins anew when all have failed; rejects with what the last one said when nobody answers", async () => {
    const { ask, answers } = world({ 1: [1] });
    const mgt = mgtOf(1);
    await mgt.selectNode(ask);
    mgt.failed(node(1), ask);
    expect(await mgt.selectNode(ask)).toEqual(node(1));
    mgt.failed(node(1), ask);
    delete answers[1];
    await expect(mgt.selectNode(ask)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    answers[1] = [7];
    expect(await mgt.selectNode(ask)).toEqual(node(7));
  });

  it("asks those who are said to be masters only when nobody else answers", async () => {
    const { ask, asked, answers } = world({ 1: [1, 2] });
    const mgt = mgtOf(1);
    await mgt.selectNode(ask);
    mgt.hinted([node(8), node(9)], ask);
    await mgt.refresh(ask);
    expect([mgt.masters, asked]).toEqual([
      [node(1), node(2)],
      [1, 1],
    ]);
    delete answers[1];
    answers[9] = [9];
    await mgt.refresh(ask);
    expect([mgt.masters, asked.slice(2)]).toEqual([[node(9)], [1, 2, 8, 9]]);
  });

  it("takes any master, by chance", async () => {
    const { ask } = world({ 1: [1, 2, 3] });
    let random = 0;
    const mgt = new RedisMgt([node(1)], { ...nodeEnvironment(), random: () => random });
    const chosen: number[] = [];
    for (random of [0, 0.34, 0.99]) chosen.push((await mgt.selectNode(ask)).port);
    expect(chosen).toEqual([1, 2, 3]);
  });

  it("is one for the same addresses in one environment", () => {
    const environment = nodeEnvironment();
    const one = RedisMgt.getInstance([node(1), node(2)], environment);
    expect(RedisMgt.getInstance([node(1), node(2)], environment)).toBe(one);
    expect(RedisMgt.getInstance([node(1)], environment)).not.toBe(one);
    expect(RedisMgt.getInstance([node(1), node(2)], nodeEnvironment())).not.toBe(one);
  });
});

describe("the masters in CLUSTER NODES", () => {
  const line = (port: number, flags: string) =>
    `${String(port).padStart(40, "0")} 10.0.0.1:${port}@1${port} ${flags} - 0 0 1 connected 0-100`;
  const ports = (...lines: string[]) =>
    readClusterView(lines.join("\n"), "10.0.0.9").masters.map(({ address }) => address.port);

  it("not replicas, nor those that failed; those in doubt if there are no others", () => {
    expect(ports(line(1, "myself,master"), line(2, "master"), line(3, "slave"))).toEqual([1, 2]);
    expect(ports(line(1, "master,fail"), line(2, "master,fail?"), line(3, "master"))).toEqual([3]);
    expect(ports(line(1, "master,fail"), line(2, "master,fail?"))).toEqual([2]);
    expect(ports(line(1, "master,fail"))).toEqual([]);
  });

  it("who was asked, and whether anybody has slots", () => {
    expect(readClusterView([line(2, "master"), line(1, "slave,myself")].join("\n"), "h")).toMatchObject({
      id: String(1).padStart(40, "0"),
      hasSlots: true,
    });
    expect(readClusterView(`${line(3, "myself,slave")}\n${line(1, "master,fail")}`, "h").hasSlots).toBe(
      false,
    );
    expect(readClusterView("", "h")).toEqual({ id: null, masters: [], hasSlots: false });
  });

  it("a node that does not know its own address has the one that was asked", () => {
    const text = `${"0".repeat(40)} :6379@16379 myself,master - 0 0 0 connected\n`;
    const id = "0".repeat(40);
    expect(readClusterView(text, "::1")).toEqual({
      id,
      masters: [{ id, address: { host: "::1", port: 6379 } }],
      hasSlots: false,
    });
  });
});

describe("dragonflow.md 5, the HA topic", () => {
  const message = (value: unknown) => ({
    table: "ha",
    key: "nodes",
    action: "set",
    topic: "redis",
    value: value as string,
  });

  it("names masters; replicas, those that failed and those without a role are left out", () => {
    const nodes = {
      "10.0.0.1:1@10001": { node_id: "a", role: "master", master_id: "-", slots: [["0", "5460"]] },
      "10.0.0.1:2": { role: "slave" },
      "10.0.0.1:3": { role: null, flags: "master,fail" },
      "10.0.0.1:4": { flags: "myself,master" },
      nonsense: { role: "master" },
    };
    expect(mastersIn(message(JSON.stringify(nodes)))).toEqual([node(1), node(4)]);
    expect(mastersIn(message(nodes))).toEqual([node(1), node(4)]);
  });

  it.each(["", "rubbish", "[]", "null", "7", '{"a:1": null}'])("%j names none", (value) => {
    expect(mastersIn(message(value))).toEqual([]);
  });

  it("is told by its table and key", () => {
    expect(isHaMessage(message("{}"))).toBe(true);
    expect(isHaMessage({ ...message("{}"), table: "lport" })).toBe(false);
    expect(isHaMessage({ ...message("{}"), key: null })).toBe(false);
    expect(isHaMessage({ ...message("{}"), action: "delete" })).toBe(false);
  });
});

describe("channels of topics", () => {
  const shown = (topic: string, match: "exact" | "prefix") =>
    channelsOf(topic, match).map(({ kind, name }) => `${kind} ${name}`);

  it("exactly, by prefix, and everything", () => {
    expect(shown("a*", "exact")).toEqual(["channel a*"]);
    expect(shown("a*", "prefix")).toEqual(["pattern a\\**"]);
    expect(shown("[?]\\", "prefix")).toEqual(["pattern \\[\\?\\]\\\\*"]);
    expect(shown("", "exact")).toEqual(["pattern *", "channel "]);
    expect(shown("", "prefix")).toEqual(["pattern *", "channel "]);
  });

  it("a server's own are known by their names", () => {
    for (const name of [
      "__keyspace@0__:x",
      "__keyevent@15__:set",
      "__redis__:invalidate",
      "__sentinel__:hello",
    ])
      expect(isOfTheServer(Buffer.from(name))).toBe(true);
    for (const name of ["", "_", "__", "__keyspace", "keyspace@0", "D"])
      expect(isOfTheServer(Buffer.from(name))).toBe(false);
  });
});

describe("Doubles: copies of one message by several subscriptions", () => {
  /** `C`: by the channel; any other word: by that pattern. Behind it the payload. */
  const message = (text: string): ReceivedMessage => {
    const [by, payload = ""] = text.split(" ");
    const pattern = by === "C" ? null : Buffer.from(by!);
    const kind = pattern === null ? "channel" : "pattern";
    return { kind, pattern, channel: Buffer.from("t"), payload: Buffer.from(payload) };
  };
  it.each([
    [["C 1", "p 1", "q 1"], 1],
    [["C 1", "p 1", "C 1", "p 1"], 2],
    [["p 1", "q 1", "p 1", "q 1"], 2],
    [["p 1", "p 1"], 2],
    [["p 1", "C 1"], 2],
    [["C 1", "p 2"], 2],
    [["C 1", "p 1", "p 1"], 2],
  ])("%j are %i", (texts, count) => {
    const doubles = new Doubles();
    expect(texts.filter((text) => !doubles.isDouble(message(text)))).toHaveLength(count);
  });

  it("another channel is another message", () => {
    const doubles = new Doubles();
    expect(doubles.isDouble(message("C 1"))).toBe(false);
    expect(doubles.isDouble({ ...message("p 1"), channel: Buffer.from("u") })).toBe(false);
  });
});

describe("Outbox: what is not answered for", () => {
  function boxOf(tries: number, ...names: string[]) {
    const done: string[] = [];
    const box = new Outbox();
    const all = names.map(
      (name) =>
        new Outgoing([Buffer.from(name), Buffer.alloc(10)], tries, (error) =>
          done.push(`${name} ${error?.code ?? "sent"}`),
        ),
    );
    for (const outgoing of all) box.push(outgoing);
    return { box, all, done, queued: () => [...box].map(({ event }) => event![0].toString()) };
  }
  const error = new ZmqError("ECONNRESET");

  it("is to be sent again in the same order, as often as it may fail", () => {
    const { box, done, queued } = boxOf(3, "a", "b");
    box.failed(error);
    box.push(new Outgoing([Buffer.from("c"), Buffer.alloc(0)], 2, (cause) => done.push(`c ${cause?.code}`)));
    box.failed(error);
    expect([queued(), done, box.bytes]).toEqual([["a", "b", "c"], [], 23]);
    box.failed(error);
    expect([queued(), done]).toEqual([[], ["a ECONNRESET", "b ECONNRESET", "c ECONNRESET"]]);
    expect([box.length, box.bytes]).toEqual([0, 0]);
  });

  it("answers are for one each, whatever their order; what is gone is answered once", () => {
    const { box, all, done, queued } = boxOf(3, "a", "b", "c");
    box.settle(all[1]!, error);
    box.settle(all[0]!, null);
    box.settle(all[1]!, null);
    expect([queued(), done]).toEqual([["c"], ["b ECONNRESET", "a sent"]]);
    box.rejectAll(new ZmqError("EBADF"));
    expect(done.at(-1)).toBe("c EBADF");
  });

  it("those who may still fail are in it before the others hear that they may not", () => {
    const box = new Outbox();
    let seen: number | null = null;
    box.push(new Outgoing(null, 1, () => (seen = box.length)));
    box.push(new Outgoing(null, 2, () => {}));
    box.failed(error);
    expect(seen).toBe(1);
  });

  it("what a server has carried out last is never older than what it has carried out before, whenever connections end", () => {
    const step = fc.oneof(
      fc.constant("push" as const),
      fc.record({ carriedOut: fc.nat(5), answered: fc.nat(5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const box = new Outbox();
        const numbers = new Map<Outgoing, number>();
        /** What the server has carried out, over all connections. */
        const done: number[] = [];
        const settled: number[] = [];
        let next = 0;
        for (const what of steps) {
          if (what === "push") {
            const n = next++;
            const outgoing = new Outgoing(null, Number.POSITIVE_INFINITY, () => settled.push(n));
            numbers.set(outgoing, n);
            box.push(outgoing);
            continue;
          }
          // A connection: all is sent, the server carries out and answers some of it, and then it ends.
          const sent = [...box];
          const carriedOut = sent.slice(0, what.carriedOut);
          done.push(...carriedOut.map((outgoing) => numbers.get(outgoing)!));
          for (const outgoing of carriedOut.slice(0, what.answered)) box.settle(outgoing, null);
          box.failed(error);
        }
        expect([...box].map((outgoing) => numbers.get(outgoing)!)).toEqual(
          Array.from({ length: next }, (_, n) => n).slice(settled.length),
        );
        expect(settled).toEqual(Array.from(settled, (_, n) => n));
        const lastOf = settled.map((n) => done.lastIndexOf(n));
        expect(lastOf).toEqual([...lastOf].sort((one, other) => one - other));
        expect(lastOf).not.toContain(-1);
      }),
    );
  });
});
