import { describe, expect, it } from "vitest";
import type { MessageLike } from "../../src/sockets/index.ts";
import { texts, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

async function connected() {
  const world = new World();
  const pull = world.pull();
  const push = world.push();
  push.connect(await world.bind(pull));
  await world.settle();
  return { world, push, pull };
}

async function sent(message: MessageLike | readonly MessageLike[]): Promise<Buffer[]> {
  const { world, push, pull } = await connected();
  await push.send(message);
  await world.settle();
  return pull.receive();
}

const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

describe("What a part may be", () => {
  it.each([
    ["a string, as UTF-8", "grüße €", Buffer.from("grüße €")],
    ["an empty string", "", Buffer.alloc(0)],
    ["null", null, Buffer.alloc(0)],
    ["a Buffer", Buffer.from("abc"), Buffer.from("abc")],
    ["a Uint8Array's view, not its buffer", bytes.subarray(2, 4), Buffer.from([3, 4])],
    ["an Int32Array", Int32Array.of(1, -1), Buffer.from("01000000ffffffff", "hex")],
    ["a DataView", new DataView(bytes.buffer, 1, 2), Buffer.from([2, 3])],
    ["an ArrayBuffer", bytes.buffer, Buffer.from(bytes)],
    ["a SharedArrayBuffer", new SharedArrayBuffer(3), Buffer.alloc(3)],
    ["a number", 16.19, Buffer.from("16.19")],
    ["a boolean", true, Buffer.from("true")],
    ["a bigint", 10n, Buffer.from("10")],
    ["an object", {}, Buffer.from("[object Object]")],
    ["a Promise", Promise.resolve(), Buffer.from("[object Promise]")],
    ["a Date", new Date(0), Buffer.from(String(new Date(0)))],
    ["a function", () => 1, Buffer.from("() => 1")],
  ] as [string, MessageLike, Buffer][])("%s", async (_name, part, expected) => {
    expect(await sent(part)).toEqual([expected]);
    expect(await sent([part, "x"])).toEqual([expected, Buffer.from("x")]);
  });

  it("undefined and a list inside a list are sent as their text", async () => {
    expect(texts(await sent([undefined, ["x", "y"]] as never))).toEqual(["undefined", "x,y"]);
  });

  it("parts received are Buffers in a plain array", async () => {
    const message = await sent(["a", Buffer.alloc(5000)]);
    expect(Array.isArray(message)).toBe(true);
    expect(message.every((part) => Buffer.isBuffer(part))).toBe(true);
  });

  it("an empty list is nothing to send", async () => {
    const { world, push, pull } = await connected();
    await push.send([]);
    expect(push.trySend([])).toBe(true);
    const publisher = world.publisher();
    await publisher.send([]);
    await push.send("after");
    await world.settle();
    expect(texts(await pull.receive())).toEqual(["after"]);
    expect(push.stats().sent).toBe(1);
  });
});

describe("Whose bytes they are (E39)", () => {
  it("small parts are copied at the call: sent at once", async () => {
    const { world, push, pull } = await connected();
    const part = Buffer.from("before");
    const done = push.send([part, "x"]);
    part.fill("-");
    await done;
    await world.settle();
    expect(texts(await pull.receive())).toEqual(["before", "x"]);
  });

  it("small parts are copied at the call: queued for a peer that is not there yet", async () => {
    const world = new World();
    const push = world.push({ reconnectInterval: 10 });
    push.connect("sim://a");
    const parts = [Buffer.from("before"), Buffer.from("too")];
    const done = push.send(parts);
    parts[0]?.fill("-");
    parts.pop();
    await done;
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(50);
    expect(texts(await pull.receive())).toEqual(["before", "too"]);
  });

  it("small parts are copied at the call: while the call waits for room", async () => {
    const world = new World();
    const push = world.push();
    const part = Buffer.from("before");
    const done = push.send(part);
    part.fill("-");
    const pull = world.pull();
    await world.bind(pull);
    push.connect("sim://a");
    await world.settle();
    await done;
    expect(texts(await pull.receive())).toEqual(["before"]);
  });

  it("two subscribers get bytes of their own", async () => {
    const world = new World();
    const publisher = world.publisher();
    await world.bind(publisher);
    const subscribers = [world.subscriber(), world.subscriber()];
    for (const subscriber of subscribers) {
      subscriber.connect("sim://a");
      subscriber.subscribe();
    }
    await world.settle();
    await publisher.send(["abc", Buffer.alloc(4000, 1)]);
    await world.settle();
    const [first, second] = await Promise.all(subscribers.map((subscriber) => subscriber.receive()));
    for (const part of first as Buffer[]) part.fill(9);
    expect(second).toEqual([Buffer.from("abc"), Buffer.alloc(4000, 1)]);
  });
});
