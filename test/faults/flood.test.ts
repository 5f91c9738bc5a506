import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { memoryInUse } from "../support/memory.ts";
import { command, eventsOf, greeting, hex, message, ready, typesOf, World } from "../support/sim-sockets.ts";
import { until } from "../support/wait.ts";

const MIB = 2 ** 20;
const FLOOD = 64 * MIB;
const CHUNK = 64 * 1024;
/** RFC 37 sets no limit to a handshake command; ours is 8 KiB, and what was read with its end is a chunk. */
const IN_HANDSHAKE = 64 + 9 + 8192 + CHUNK;
const address = "sim://a";

function repeated(bytes: Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(CHUNK / bytes.length) }, () => bytes));
}

/** A READY that our limit has room for, with metadata that are none. */
const badReady = Buffer.concat([
  hex("06 0000000000001f40"),
  command("READY").subarray(2),
  Buffer.alloc(7994),
]);

interface Flood {
  name: string;
  /** Once, then the chunk again and again. */
  first: Uint8Array;
  chunk: Buffer;
  code: string;
}

const FLOODS: readonly Flood[] = [
  {
    name: "FF, for a greeting",
    first: hex(""),
    chunk: Buffer.alloc(CHUNK, 0xff),
    code: "ERR_ZMTP_MECHANISM_MISMATCH",
  },
  {
    name: "empty messages where READY is due",
    first: greeting(),
    chunk: Buffer.alloc(CHUNK),
    code: "ERR_ZMTP_UNEXPECTED_COMMAND",
  },
  {
    name: "one READY of 64 MiB",
    first: Buffer.concat([greeting(), hex("06 0000000004000000"), command("READY").subarray(2)]),
    chunk: Buffer.alloc(CHUNK, 0x41),
    code: "ERR_ZMTP_FRAME_TOO_LARGE",
  },
  {
    name: "a READY of 8000 bytes that is malformed, again and again",
    first: greeting(),
    chunk: repeated(badReady),
    code: "ERR_ZMTP_INVALID_METADATA",
  },
  {
    name: "PING without end where READY is due",
    first: greeting(),
    chunk: repeated(command("PING", hex("0000"))),
    code: "ERR_ZMTP_UNEXPECTED_COMMAND",
  },
];

describe("Bytes before the handshake is complete (NU-5, FR-7)", () => {
  it.each(FLOODS.map((flood) => [flood.name, flood] as const))(
    "%s: no more is taken than one command",
    async (_, { first, chunk, code }) => {
      const world = new World();
      const pull = world.pull();
      const events = eventsOf(pull);
      await world.bind(pull);
      const peer = await world.dialRaw(address);
      peer.write(first);
      let written = first.length;
      while (peer.ends.length === 0 && written < FLOOD) {
        peer.write(chunk);
        written += chunk.length;
        await world.settle();
        if (events.length > 2) break;
      }
      expect(written).toBeLessThanOrEqual(IN_HANDSHAKE + CHUNK);
      expect(events.slice(2)).toMatchObject([{ error: { code } }, { type: "disconnect", error: { code } }]);
      expect(peer.received.includes("ERROR")).toBe(code === "ERR_ZMTP_INVALID_METADATA");
      await world.advance(2000);
      expect(world.left).toMatchObject({ streams: 0, timers: 0 });
    },
  );

  it.each([1, 7, 1000])("in pieces of %i bytes: no more than one command either", async (size) => {
    for (const { first, chunk, code } of FLOODS) {
      const world = new World();
      const pull = world.pull();
      const events = eventsOf(pull);
      await world.bind(pull);
      const peer = await world.dialRaw(address);
      const bytes = Buffer.concat([first, chunk]);
      let written = 0;
      for (; events.length === 2 && written < bytes.length; written += size) {
        peer.write(bytes.subarray(written, written + size));
        if (written % (size * 50) === 0 || size > 50) await world.settle();
      }
      await world.settle();
      expect(written).toBeLessThanOrEqual(64 + 9 + 8192 + 50 * size);
      expect(events[2]).toMatchObject({ error: { code } });
    }
  });
});

describe("E45: more connections in handshake than maxPendingConnections", () => {
  const LIMIT = 50;
  const COUNT = 800;
  const unfinished = Buffer.concat([
    greeting(),
    hex("06 0000000000001f40"),
    command("READY").subarray(2),
    Buffer.alloc(7900),
  ]);

  it("hold the memory of those that may be, 8 KiB each and what an object takes", async () => {
    const world = new World();
    const pull = world.pull({ maxPendingConnections: LIMIT });
    let closed = 0;
    pull.events.on("handshake:error:other", () => {
      closed += 1;
    });
    await world.bind(pull);
    const most = LIMIT * 16 * 1024 + MIB;
    const before = await memoryInUse();
    for (let i = 0; i < COUNT; i += 1) {
      (await world.dialRaw(address)).write(unfinished);
      await world.settle();
      world.network.streams.length = 0; // the simulation's own list, else of all that there ever were
    }
    expect((await memoryInUse(before + most)) - before).toBeLessThan(most);
    expect(COUNT * 8 * 1024).toBeGreaterThan(3 * most);
    expect(closed).toBe(COUNT - LIMIT);
    await world.run(pull.close());
  });
});

describe("Messages behind READY, before the peer has seen ours", () => {
  it("are taken up to the high-water mark, and then held up; none is lost", async () => {
    const world = new World();
    const pull = world.pull({ receiveHighWaterMark: 100 });
    await world.bind(pull);
    const peer = await world.dialRaw(address);
    const messages = Array.from({ length: 300 }, () => message("x".repeat(200)));
    peer.write(greeting(), ready("PUSH"));
    const chunk = Buffer.concat(messages);
    let written = 0;
    for (let room = true; room && written * 200 < FLOOD; written += messages.length) {
      room = peer.stream.write([chunk]);
      await world.settle();
    }
    // Taken: what filled the queue, and the rest of its chunk. On their way: the stream's capacity and a chunk over.
    expect(pull.stats().queued).toBe(100);
    expect(written).toBeLessThanOrEqual(5 * messages.length);
    let taken = 0;
    while (taken < written) taken += (await world.run(pull.receiveBatch())).length;
    expect(taken).toBe(written);
  });
});

describe("maxMessageBytes: every part counts its size and 64 more", () => {
  const part = hex("01 00");

  it("ten empty parts are 640", async () => {
    const world = new World();
    const pull = world.pull({ maxMessageBytes: 640 });
    const events = eventsOf(pull);
    await world.bind(pull);
    const peer = (await world.dialRaw(address)).greet("PUSH");
    const ten = Buffer.concat([...Array.from({ length: 9 }, () => part), hex("00 00")]);
    peer.write(ten, ten);
    await world.settle();
    expect(pull.stats().received).toBe(2);
    peer.write(part, ten);
    await world.settle();
    expect(events.at(-1)).toMatchObject({
      type: "disconnect",
      error: { code: "ERR_ZMTP_MESSAGE_TOO_LARGE" },
    });
  });

  it("a million empty parts: the connection ends at 1 MiB, without ERROR and without a message", async () => {
    const world = new World();
    const pull = world.pull({ maxMessageBytes: MIB });
    const events = eventsOf(pull);
    await world.bind(pull);
    const peer = (await world.dialRaw(address)).greet("PUSH");
    const parts = repeated(part);
    let sent = 0;
    for (; events.length === 3 || sent === 0; sent += parts.length / 2) {
      peer.write(parts);
      await world.settle();
    }
    expect(sent).toBeLessThanOrEqual(MIB / 64 + parts.length / 2);
    expect(typesOf(events)).toEqual(["bind", "accept", "handshake", "disconnect"]);
    expect(events[3]).toMatchObject({ reason: "protocol", error: { code: "ERR_ZMTP_MESSAGE_TOO_LARGE" } });
    expect(peer.received.includes("ERROR")).toBe(false);
    expect(pull.stats().received).toBe(0);
  });
});

describe("64 MiB over tcp, and what of it is held", () => {
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  const tcpFloods: readonly [string, Uint8Array, Buffer, object][] = [
    ...FLOODS.map((flood): [string, Uint8Array, Buffer, object] => [
      flood.name,
      flood.first,
      flood.chunk,
      {},
    ]),
    [
      "READY again and again, which counts for nothing after the handshake",
      Buffer.concat([greeting(), ready("PUSH")]),
      repeated(badReady),
      {},
    ],
    [
      "empty parts of one message",
      Buffer.concat([greeting(), ready("PUSH")]),
      repeated(hex("01 00")),
      { maxMessageBytes: MIB },
    ],
    [
      "messages that nobody receives",
      Buffer.concat([greeting(), ready("PUSH")]),
      repeated(message("x".repeat(200))),
      {},
    ],
  ];

  it.each(tcpFloods)("%s: less than 8 MiB", async (_, first, chunk, options) => {
    const pull = new zmtp.Pull(options);
    let accepted = 0;
    pull.events.on("accept", () => {
      accepted += 1;
    });
    await pull.bind("tcp://127.0.0.1:*");
    const socket = connect(Number(pull.lastEndpoint?.split(":").at(-1)), "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {}).resume();
    await once(socket, "connect");
    await until("it is accepted", () => accepted === 1);
    const before = await memoryInUse();
    socket.write(first);
    let held = 0;
    for (let written = 0; written < FLOOD && !socket.destroyed; written += chunk.length) {
      const isOver = (): boolean => socket.destroyed || !socket.writableNeedDrain;
      if (!socket.write(chunk))
        await until("there is room, or none for good", () => isOver() || pull.stats().queued >= 1000);
      if (!isOver()) break;
      if (written % (16 * MIB) < chunk.length)
        held = Math.max(held, (await memoryInUse(before + 4 * MIB)) - before);
    }
    held = Math.max(held, (await memoryInUse(before + 4 * MIB)) - before);
    expect(held).toBeLessThan(8 * MIB);
    socket.destroy();
    await pull.close();
  });
});
