import { describe, expect, it } from "vitest";
import { Emitter, Observer, type SocketEvent } from "../../src/sockets/index.ts";
import { eventsOf, failure, trapRejections, typesOf, World, watch } from "../support/sim-sockets.ts";

trapRejections();

const address = "sim://a";

async function readAll(events: Observer): Promise<SocketEvent[]> {
  const seen: SocketEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

describe("Observer: one for each socket", () => {
  it("is made when first asked for, and is always the same", async () => {
    const world = new World();
    const pull = world.pull();
    expect(pull.events).toBeInstanceOf(Observer);
    expect(pull.events).toBe(pull.events);
    expect(pull.events).not.toBe(world.pull().events);
  });

  it("what happened before is not told", async () => {
    const world = new World();
    const pull = world.pull();
    await world.bind(pull);
    const seen = readAll(pull.events);
    await world.run(pull.close());
    expect(await world.run(seen)).toEqual([{ type: "close", address }, { type: "end" }]);
  });

  it("a second one of one's own hears the same, and its close changes nothing for the first", async () => {
    const world = new World();
    const pull = world.pull();
    const own = new Observer(pull);
    const first = readAll(pull.events);
    const second = readAll(own);
    await world.bind(pull);
    own.close();
    await world.run(pull.close());
    expect(typesOf(await world.run(second))).toEqual(["bind"]);
    expect(typesOf(await world.run(first))).toEqual(["bind", "close", "end"]);
  });

  it.each([[{}], [null], [undefined], [1]])("new Observer(%j) is a TypeError", (socket) => {
    expect(() => new Observer(socket as never)).toThrow(new TypeError("Socket must be a socket object"));
  });
});

describe("Observer: receive", () => {
  it("gives what waits, then what comes; end is last, closes it, and a further one throws EBADF", async () => {
    const world = new World();
    const pull = world.pull();
    const { events } = pull;
    await world.bind(pull);
    expect(await events.receive()).toEqual({ type: "bind", address });
    const waiting = watch(events.receive());
    expect(world.holds).toBe(1); // the process lives on
    await world.settle();
    expect(waiting.state).toBe("pending");
    await world.run(pull.close());
    expect(waiting.value).toEqual({ type: "close", address });
    expect(world.holds).toBe(0);
    expect(events.closed).toBe(false); // its end waits
    expect(await events.receive()).toEqual({ type: "end" });
    expect(events.closed).toBe(true);
    expect(await failure(() => events.receive())).toMatchObject({ how: "thrown", error: { code: "EBADF" } });
    expect(await readAll(events)).toEqual([]);
  });

  it("a socket that did nothing: end, exactly", async () => {
    const world = new World();
    const pull = world.pull();
    const seen = readAll(pull.events);
    await world.run(pull.close());
    expect(await world.run(seen)).toStrictEqual([{ type: "end" }]);
  });

  it("one at a time: the second throws EBUSY, and the first has its event", async () => {
    const world = new World();
    const pull = world.pull();
    const first = watch(pull.events.receive());
    const message = "Observer is busy reading; only one receive operation may be in progress at any time";
    expect(await failure(() => pull.events.receive())).toMatchObject({
      how: "thrown",
      error: { code: "EBUSY", message },
    });
    expect(() => pull.events.on("bind", () => {})).toThrow(message);
    await world.bind(pull);
    expect(first.value).toEqual({ type: "bind", address });
    await world.run(pull.close());
  });

  it("keeps the latest 1000, and the end among them", async () => {
    const world = new World();
    const pull = world.pull({ reconnectInterval: 10 });
    const { events } = pull;
    pull.connect(address);
    await world.advance(15_000); // 3 events for each of some 1000 dials
    await world.run(pull.close());
    const seen = await world.run(readAll(events));
    expect(seen).toHaveLength(1000);
    expect(seen.at(-1)).toEqual({ type: "end" });
    expect(typesOf(seen).slice(-5, -1)).toContain("connect:retry");
  });

  it("when the socket has ended before, there is nothing", async () => {
    const world = new World();
    const pull = world.pull();
    await world.run(pull.close());
    expect(pull.events.closed).toBe(true);
    expect(await failure(() => pull.events.receive())).toMatchObject({ error: { code: "EBADF" } });
    expect(await readAll(pull.events)).toEqual([]);
  });
});

describe("Observer: close", () => {
  it("ends a loop that waits, where zeromq.js throws ENOTSOCK; the socket lives on", async () => {
    const world = new World();
    const pull = world.pull();
    const seen = watch(readAll(pull.events));
    await world.bind(pull);
    pull.events.close();
    await world.settle();
    expect(seen.value).toEqual([{ type: "bind", address }]);
    expect(pull.events.closed).toBe(true);
    expect(world.holds).toBe(0);
    expect(pull.closed).toBe(false);
    await world.run(pull.close());
  });

  it("a receive that waits is rejected with EBADF", async () => {
    const world = new World();
    const pull = world.pull();
    const waiting = watch(pull.events.receive());
    pull.events.close();
    pull.events.close();
    await world.settle();
    expect(waiting.error).toMatchObject({ code: "EBADF" });
  });

  it("no listener is called any more", async () => {
    const world = new World();
    const pull = world.pull();
    const seen = eventsOf(pull);
    await world.bind(pull);
    pull.events.close();
    await world.run(pull.close());
    expect(typesOf(seen)).toEqual(["bind"]);
  });
});

describe("Observer: on, once, off", () => {
  const emitterMode =
    "Observer is in event emitter mode. After a call to events.on() it is not possible to read events with events.receive().";

  it.each(["on", "once", "off"] as const)("after %s, receive throws", async (method) => {
    const world = new World();
    const pull = world.pull();
    expect(pull.events[method]("bind", () => {})).toBe(pull.events);
    expect(() => pull.events.receive()).toThrow(new Error(emitterMode));
    expect(await failure(() => readAll(pull.events))).toMatchObject({ error: { message: emitterMode } });
  });

  it("what was kept since it was made follows at the end of the turn, in order", async () => {
    const world = new World();
    const pull = world.pull();
    const { events } = pull;
    await world.bind(pull);
    await world.bind(pull, "sim://b");
    const seen: string[] = [];
    events.on("bind", (event) => seen.push(event.address));
    events.on("close", (event) => seen.push(`close ${event.address}`));
    expect(seen).toEqual([]);
    await world.run(pull.unbind(address));
    expect(seen).toEqual([address, "sim://b", `close ${address}`]);
  });

  it("end closes it", async () => {
    const world = new World();
    const pull = world.pull();
    const closed: boolean[] = [];
    pull.events.on("end", () => closed.push(pull.events.closed));
    expect(pull.events.closed).toBe(false);
    await world.run(pull.close());
    expect(closed).toEqual([true]);
  });

  it("once: once; a listener is added once; off takes it away, also within an event", () => {
    const world = new World();
    const emitter = new Emitter<{ a: { type: "a" } }>(world.environment);
    const seen: string[] = [];
    const twice = (): void => void seen.push("on");
    emitter.on("a", twice).on("a", twice);
    emitter.once("a", () => seen.push("once"));
    const removed = (): void => void seen.push("removed");
    emitter.once("a", removed).off("a", removed);
    emitter.once("a", () => emitter.off("a", twice));
    emitter.emit({ type: "a" });
    emitter.emit({ type: "a" });
    expect(seen).toEqual(["on", "once"]);
  });

  it("keeps nothing alive", async () => {
    const world = new World();
    const pull = world.pull();
    eventsOf(pull);
    expect(world.holds).toBe(0);
  });
});
