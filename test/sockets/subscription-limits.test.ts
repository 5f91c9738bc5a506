import { describe, expect, it } from "vitest";
import { encodeCommand } from "../../src/zmtp/index.ts";
import { memoryInUse } from "../support/memory.ts";
import { command, drain, eventsOf, message, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const subscribe = (topic: Uint8Array): Uint8Array => encodeCommand("SUBSCRIBE", topic);
const cancel = (topic: Uint8Array): Uint8Array => encodeCommand("CANCEL", topic);
const MIB = 2 ** 20;

describe.each(["publisher", "xpublisher"] as const)("Bounds on the subscriptions of one peer, %s", (kind) => {
  async function withPeers(options: object = {}) {
    const world = new World();
    const publisher = world[kind](options);
    const events = eventsOf(publisher);
    await world.bind(publisher);
    const [greedy, other] = [await world.dialRaw("sim://a"), await world.dialRaw("sim://a")];
    for (const peer of [greedy, other]) peer.greet("SUB");
    other.write(command("SUBSCRIBE", "o"));
    await world.settle();
    for (const peer of [greedy, other]) peer.take();
    if ("receive" in publisher) await drain(publisher);
    events.length = 0;
    const refused = (rule: string) => [
      {
        type: "disconnect",
        address: "sim://a",
        reason: "protocol",
        error: expect.objectContaining({ name: "ProtocolError", code: "ERR_ZMTP_SUBSCRIPTION_LIMIT", rule }),
      },
    ];
    return { world, publisher, events, greedy, other, refused };
  }

  it.each([
    ["command", subscribe],
    ["CANCEL", cancel],
    ["message", (topic: Uint8Array) => message(`\x01${Buffer.from(topic)}`)],
  ] as const)(
    "maxTopicSize is inclusive; a longer topic ends the connection without ERROR: %s",
    async (_, form) => {
      const { world, publisher, events, greedy, other, refused } = await withPeers({ maxTopicSize: 100 });
      greedy.write(form(Buffer.alloc(100, "a")));
      await world.settle();
      expect(greedy.ends).toEqual([]);
      greedy.write(form(Buffer.alloc(101, "a")), subscribe(Buffer.from("late")));
      await world.settle();
      expect(events).toEqual(refused("maxTopicSize"));
      expect(greedy.ends).toEqual([null]);
      expect(greedy.take()).toHaveLength(0);
      publisher.trySend("o");
      await world.settle();
      expect(other.take()).toEqual(message("o"));
      expect(publisher.stats().peers).toHaveLength(1);
    },
  );

  it("maxTopicSize is 1 MiB by default", async () => {
    const { world, events, greedy, refused } = await withPeers();
    greedy.write(subscribe(Buffer.alloc(MIB)));
    await world.settle();
    expect(events).toEqual([]);
    greedy.write(subscribe(Buffer.alloc(MIB + 1)));
    await world.settle();
    expect(events).toEqual(refused("maxTopicSize"));
  });

  it("memory: a topic of 64 MiB is refused by its header, and none of it is kept", async () => {
    const { world, events, greedy, refused } = await withPeers();
    const chunk = Buffer.alloc(64 * 1024);
    const header = Buffer.concat([
      Buffer.from("060000000004000000", "hex"),
      command("SUBSCRIBE").subarray(2),
    ]);
    const before = await memoryInUse();
    let written = 0;
    for (greedy.write(header); greedy.ends.length === 0 && written < 64 * MIB; written += chunk.length) {
      greedy.write(Buffer.from(chunk));
      await world.settle();
    }
    expect(written).toBeLessThanOrEqual(chunk.length);
    expect(events).toEqual(refused("maxTopicSize"));
    expect((await memoryInUse(before + MIB)) - before).toBeLessThan(MIB);
  });

  it("maxSubscriptionBytes: each topic counts size + 96, once, until it is cancelled", async () => {
    const { world, events, greedy, refused } = await withPeers({ maxSubscriptionBytes: 3 * 106 });
    const topic = (n: number): Uint8Array => Buffer.from(`topic ${n}`.padEnd(10));
    greedy.write(...[0, 1, 2, 0, 1, 2].map((n) => subscribe(topic(n))));
    await world.settle();
    for (let n = 0; n < 100; n += 1) greedy.write(cancel(topic(n)), subscribe(topic(n + 3)));
    await world.settle();
    expect(events).toEqual([]);
    greedy.write(cancel(topic(102)), subscribe(topic(7)), subscribe(topic(8)));
    await world.settle();
    expect(events).toEqual(refused("maxSubscriptionBytes"));
  });

  it("a peer that has gone is counted no more", async () => {
    const { world, events, greedy } = await withPeers({ maxSubscriptionBytes: 102 });
    greedy.write(command("SUBSCRIBE", "123456"));
    await world.settle();
    greedy.stream.reset();
    await world.settle();
    const back = (await world.dialRaw("sim://a")).greet("SUB").write(command("SUBSCRIBE", "654321"));
    await world.settle();
    expect(back.ends).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["disconnect", "accept", "handshake"]);
  });

  it("memory: a peer that subscribes without end is held to the limit, and nothing stays of it", async () => {
    const limit = 16 * MIB;
    const { world, publisher, events, greedy, refused } = await withPeers({
      maxSubscriptionBytes: limit,
      ...(kind === "xpublisher" && { receiveHighWaterMark: 0 }),
    });
    const before = await memoryInUse();
    let most = 0;
    const enough = before + 1.2 * limit;
    for (let n = 0; n < 200_000 && greedy.ends.length === 0; n += 1) {
      greedy.write(subscribe(Buffer.from(`${n}`.padStart(6, "0"))));
      if (n % 5000 === 4999) {
        await world.settle();
        if ("receive" in publisher) await drain(publisher);
        most = Math.max(most, (await memoryInUse(enough)) - before);
      }
    }
    await world.settle();
    expect(events).toEqual(refused("maxSubscriptionBytes"));
    // What a topic counts is what it takes.
    expect(most).toBeLessThan(1.5 * limit + 2 * MIB);
    if ("receive" in publisher) await drain(publisher);
    expect(await memoryInUse(before + limit - 1)).toBeLessThan(before + limit);
  });
});

describe("maxTopicSize holds from a frame's header on", () => {
  /** Flags, a size of so many bytes in the long form, and the first byte of the body. */
  const head = (flags: string, size: number): Buffer => {
    const bytes = Buffer.from(`${flags}0000000000000000`, "hex");
    bytes.writeBigUInt64BE(BigInt(size), 1);
    return bytes;
  };

  async function ends(kind: "publisher" | "xpublisher", header: Buffer, options = {}): Promise<boolean> {
    const world = new World();
    const publisher = world[kind]({ maxTopicSize: 1000, ...options });
    const events = eventsOf(publisher);
    await world.bind(publisher);
    const peer = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    peer.take();
    peer.write(header);
    await world.settle();
    if (peer.ends.length > 0) {
      const error = { code: "ERR_ZMTP_SUBSCRIPTION_LIMIT", rule: "maxTopicSize" };
      expect(events.at(-1)).toMatchObject({ type: "disconnect", reason: "protocol", error });
    }
    expect(peer.take()).toHaveLength(0);
    return peer.ends.length > 0;
  }

  it.each(["publisher", "xpublisher"] as const)("of a command, %s", async (kind) => {
    expect(await ends(kind, head("06", 1010))).toBe(false);
    expect(await ends(kind, head("06", 1011))).toBe(true);
    expect(await ends(kind, head("06", 256), { maxTopicSize: 0 })).toBe(true);
  });

  it("of a message to a PUB, each part of it; an XPUB may be sent anything", async () => {
    for (const flags of ["02", "03"]) {
      expect(await ends("publisher", head(flags, 1001))).toBe(false);
      expect(await ends("publisher", head(flags, 1002))).toBe(true);
      expect(await ends("xpublisher", head(flags, 1002))).toBe(false);
    }
  });

  it("takes effect at once", async () => {
    const world = new World();
    const publisher = world.publisher();
    await world.bind(publisher);
    const peer = (await world.dialRaw("sim://a")).greet("SUB");
    await world.settle();
    publisher.maxTopicSize = 1000;
    peer.write(head("06", 1011));
    await world.settle();
    expect(peer.ends).toHaveLength(1);
  });
});

describe("What the application does by hand", () => {
  it("manual: what a peer asks for is bounded all the same", async () => {
    const world = new World();
    const publisher = world.xpublisher({ manual: true, maxSubscriptionBytes: 194 });
    const events = eventsOf(publisher);
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("SUB");
    raw.write(command("SUBSCRIBE", "a"), command("SUBSCRIBE", "b"), command("SUBSCRIBE", "c"));
    await world.settle();
    expect(events.at(-1)).toMatchObject({ error: { code: "ERR_ZMTP_SUBSCRIPTION_LIMIT" } });
    expect((await drain(publisher)).sort()).toEqual(["\0a", "\0b", "\x01a", "\x01b"]);
  });
});

describe("A peer that wants too much", () => {
  it("is cut at once, also when it reads nothing and answers wait for it", async () => {
    const world = new World();
    const publisher = world.publisher({ maxTopicSize: 10 });
    await world.bind(publisher);
    const raw = (await world.dialRaw("sim://a")).greet("SUB").write(command("SUBSCRIBE", ""));
    await world.settle();
    world.network.capacity = 0;
    raw.stream.pause();
    publisher.trySend("fills the stream");
    await world.settle();
    raw.write(command("PING", "\0\0"), command("SUBSCRIBE", "eleven bytes"));
    await world.settle();
    expect(publisher.stats().peers).toEqual([]);
    expect(world.left).toMatchObject({ timers: 0 });
  });
});
