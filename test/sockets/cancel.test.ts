import { once } from "node:events";
import { type AddressInfo, createServer, type Socket as NetSocket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Publisher, Push } from "../../src/index.ts";
import {
  drain,
  failure,
  greeting,
  hex,
  message,
  ready,
  texts,
  trapRejections,
  World,
  watch,
} from "../support/sim-sockets.ts";
import { until } from "../support/wait.ts";

trapRejections();

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

async function receiving(options = {}) {
  const world = new World();
  const pull = world.pull(options);
  await world.bind(pull);
  const raw = (await world.dialRaw("sim://a")).greet("PUSH");
  await world.settle();
  return { world, pull, raw };
}

describe("E35: an aborted receive loses nothing", () => {
  it("aborted in the turn in which the message comes, after it: the message is the call's", async () => {
    const { world, pull, raw } = await receiving();
    const abort = new AbortController();
    const call = watch(pull.receive({ signal: abort.signal }));
    raw.write(message("x"));
    world.network.later(() => abort.abort());
    await world.settle();
    expect(call.state).toBe("resolved");
    expect(texts(call.value as Buffer[])).toEqual(["x"]);
    expect(pull.stats().queued).toBe(0);
  });

  it("before it: the message is the next call's", async () => {
    const { world, pull, raw } = await receiving();
    const abort = new AbortController();
    const calls = [watch(pull.receive({ signal: abort.signal })), watch(pull.receive())];
    world.network.later(() => abort.abort());
    raw.write(message("x"));
    await world.settle();
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "resolved"]);
  });

  it("receiveBatch: the same, and the batch is whole", async () => {
    for (const first of ["abort", "message"]) {
      const { world, pull, raw } = await receiving();
      const abort = new AbortController();
      const call = watch(pull.receiveBatch({ signal: abort.signal }));
      if (first === "abort") world.network.later(() => abort.abort());
      raw.write(message("1"), message("2"), message("3"));
      if (first === "message") world.network.later(() => abort.abort());
      await world.settle();
      const taken =
        call.state === "resolved" ? (call.value as Buffer[][]).map((parts) => texts(parts)[0]) : [];
      expect(taken).toEqual(first === "abort" ? [] : ["1", "2", "3"]);
      expect([...taken, ...(await drain(pull))]).toEqual(["1", "2", "3"]);
    }
  });

  it("aborted beforehand: rejected though a message is there, which stays", async () => {
    const { world, pull, raw } = await receiving();
    raw.write(message("x"));
    await world.settle();
    for (const call of [
      () => pull.receive({ signal: AbortSignal.abort() }),
      () => pull.receiveBatch({ signal: AbortSignal.abort() }),
    ])
      expect(await failure(call)).toMatchObject({ how: "rejected", error: { name: "AbortError" } });
    expect(await drain(pull)).toEqual(["x"]);
  });

  it("a timeout loses nothing either", async () => {
    const { world, pull, raw } = await receiving({ receiveTimeout: 100 });
    const late = watch(pull.receive());
    await world.advance(100);
    expect(late).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
    raw.write(message("x"));
    await world.settle();
    expect(await drain(pull)).toEqual(["x"]);
    expect(world.holds).toBe(0);
  });

  it("whatever is aborted when: every message is received once, those of single calls in the calls' order", async () => {
    const step = fc.oneof(
      fc.record({ what: fc.constant("receive" as const), abort: fc.boolean() }),
      fc.record({ what: fc.constant("batch" as const), abort: fc.boolean() }),
      fc.record({ what: fc.constant("message" as const), abort: fc.boolean() }),
      fc.record({ what: fc.constant("settle" as const), abort: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { world, pull, raw } = await receiving({ receiveHighWaterMark: 3 });
        const aborts: AbortController[] = [];
        const calls: ReturnType<typeof watch<Buffer[] | Buffer[][]>>[] = [];
        const singles: typeof calls = [];
        let written = 0;
        for (const { what, abort } of steps) {
          if (what === "message") raw.write(message(String(written++)));
          else if (what === "settle") await world.settle();
          else {
            const controller = new AbortController();
            const { signal } = controller;
            const call = watch<Buffer[] | Buffer[][]>(
              what === "receive" ? pull.receive({ signal }) : pull.receiveBatch({ signal, max: 3 }),
            );
            calls.push(call);
            if (what === "receive") singles.push(call);
            aborts.push(controller);
          }
          if (abort) world.network.later(() => aborts.shift()?.abort());
        }
        await world.settle();
        for (const one of aborts) one.abort();
        await world.settle();
        const values = (some: typeof calls): string[] =>
          some.flatMap(({ value }) => (value ?? []).flat().map((part) => part.toString()));
        const got = values(calls);
        while (got.length < written) {
          const more = await drain(pull);
          if (more.length === 0) break;
          got.push(...more);
          await world.settle();
        }
        expect(got.sort((a, b) => Number(a) - Number(b))).toEqual(numbers(written));
        const inOrder = values(singles);
        expect(inOrder).toEqual([...inOrder].sort((a, b) => Number(a) - Number(b)));
        expect(world.holds).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe("An aborted send is all or nothing", () => {
  it("aborted when there is room again, before it: nothing of it is sent, and the next one is", async () => {
    const world = new World();
    const push = world.push({ sendHighWaterMark: 1 });
    push.connect("sim://a");
    await world.run(push.send("0"));
    const abort = new AbortController();
    const calls = [watch(push.send(["1", "rest"], { signal: abort.signal })), watch(push.send("2"))];
    abort.abort();
    const pull = world.pull();
    await world.bind(pull);
    await world.advance(500);
    expect(calls.map(({ state }) => state)).toEqual(["rejected", "resolved"]);
    expect(await drain(pull)).toEqual(["0", "2"]);
  });

  it("whatever is aborted, stalled and timed out when: what resolved arrives whole, once, in order, and nothing else", async () => {
    const step = fc.constantFrom("send", "send", "send", "abort", "settle", "pause", "resume", "wait", "try");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer(), async (steps, seed) => {
        const world = new World(seed);
        world.network.capacity = 3000;
        world.network.maxChunk = 700;
        const push = world.push({ sendHighWaterMark: 2, sendTimeout: 50 });
        const pull = world.pull();
        await world.bind(pull);
        push.connect("sim://a");
        await world.settle();
        const far = world.lastDialled.other;
        const aborts: AbortController[] = [];
        const calls: { name: string; call: ReturnType<typeof watch<void>> }[] = [];
        let tried = 0;
        for (const what of steps) {
          if (what === "send") {
            const controller = new AbortController();
            const name = String(calls.length);
            const parts = [name, Buffer.alloc(2500, name)];
            calls.push({ name, call: watch(push.send(parts, { signal: controller.signal })) });
            aborts.push(controller);
          } else if (what === "try") tried += push.trySend(["try", Buffer.alloc(2500, "t")]) ? 1 : 0;
          else if (what === "abort") aborts.pop()?.abort();
          else if (what === "settle") await world.settle();
          else if (what === "pause") far.pause();
          else if (what === "resume") far.resume();
          else await world.advance(30);
        }
        far.resume();
        await world.advance(100);
        const got = (await drain(pull)).map((text) => text.split("|") as [string, string]);
        for (const [name, body] of got)
          expect(body).toBe((name === "try" ? "t" : name).repeat(2500).slice(0, 2500));
        const resolved = calls.filter(({ call }) => call.state === "resolved").map(({ name }) => name);
        expect(calls.every(({ call }) => call.state !== "pending")).toBe(true);
        expect(got.map(([name]) => name).filter((name) => name !== "try")).toEqual(resolved);
        expect(got.length).toBe(resolved.length + tried);
        expect(push.stats()).toMatchObject({ sent: got.length, queued: 0, dropped: 0 });
        expect(world.holds).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("Overlapping calls", () => {
  it("10 000 sends that nobody awaits, within the limit, arrive in order", async () => {
    const world = new World();
    const pull = world.pull({ receiveHighWaterMark: 0 });
    await world.bind(pull);
    const push = world.push({ sendHighWaterMark: 9000 });
    push.connect("sim://a");
    const calls = numbers(10_000).map((n) => watch(push.send(n)));
    await world.advance(500);
    expect(calls.filter(({ state }) => state !== "resolved")).toEqual([]);
    expect(await drain(pull)).toEqual(numbers(10_000));
  });

  it.each([
    [1, 1000],
    [1500, 1500],
  ])(
    "receiveHighWaterMark %i: %i receives wait, one more is EBUSY; each gets one message",
    async (mark, limit) => {
      const { world, pull, raw } = await receiving({ receiveHighWaterMark: mark });
      const calls = numbers(limit).map(() => watch(pull.receive()));
      expect(await failure(() => pull.receive())).toMatchObject({
        how: "rejected",
        error: { code: "EBUSY" },
      });
      raw.write(...numbers(limit + 1).map((n) => message(n)));
      await world.settle();
      expect(calls.map(({ value }) => String(value?.[0]))).toEqual(numbers(limit));
      expect(await drain(pull)).toEqual([String(limit)]);
    },
  );

  it("await using: leaving the block closes, and settles what waits", async () => {
    const world = new World();
    let call: ReturnType<typeof watch<Buffer[]>>;
    const closed = (async () => {
      const pull = world.pull();
      try {
        call = watch(pull.receive());
      } finally {
        await pull[Symbol.asyncDispose]();
      }
      return pull.closed;
    })();
    await world.settle();
    expect(await closed).toBe(true);
    expect(call!).toMatchObject({ state: "rejected", error: { code: "EAGAIN" } });
  });
});

describe("A flood of a million sends that never awaits", () => {
  const FLOOD = 1_000_000;
  const BODY = Buffer.alloc(100, "x");

  it("PUSH: takes what there is room for, refuses the rest; what it took arrives", async () => {
    const peer = await stalledPeer("PULL");
    const push = new Push({ reconnectInterval: -1 });
    push.connect(peer.address);
    await until("it is connected", () => push.stats().peers[0]?.socketType === "PULL");
    let taken = 0;
    for (let i = 0; i < FLOOD; i += 1) if (push.trySend(BODY)) taken += 1;
    const { sent, queued, dropped } = push.stats();
    expect(sent + queued).toBe(taken);
    expect({ queued, dropped }).toEqual({ queued: 1000, dropped: 0 });
    expect(taken).toBeLessThan(FLOOD / 2);
    peer.resume();
    await until("all is sent", () => push.stats().queued === 0);
    await push.close();
    await peer.ended;
    expect(peer.bytes()).toBe(taken * 102);
  });

  it("PUB: sends what there is room for, drops and counts the rest", async () => {
    const peer = await stalledPeer("SUB");
    const pub = new Publisher({ reconnectInterval: -1 });
    pub.connect(peer.address);
    await pub.subscribed("x");
    for (let i = 0; i < FLOOD; i += 1) pub.trySend(BODY);
    const { sent, queued, dropped } = pub.stats();
    expect(sent + queued + dropped).toBe(FLOOD);
    expect(queued).toBe(1000);
    expect(dropped).toBeGreaterThan(FLOOD / 2);
    peer.resume();
    await until("all is sent", () => pub.stats().queued === 0);
    await pub.close();
    await peer.ended;
    expect(peer.bytes()).toBe((sent + queued) * 102);
  });
});

/** A TCP peer that completes the handshake and then reads nothing until `resume`. */
async function stalledPeer(type: "PULL" | "SUB") {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let connection: NetSocket | null = null;
  let bytes = 0;
  const ended = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      connection = socket;
      socket.write(Buffer.concat([greeting(), ready(type), ...(type === "SUB" ? [hex("00 01 01")] : [])]));
      socket.on("data", (chunk) => {
        bytes += chunk.length;
        if (bytes >= handshake) socket.pause();
      });
      socket.on("end", () => {
        server.close();
        resolve();
      });
    });
  });
  const own = type === "PULL" ? "PUSH" : "PUB";
  const handshake = greeting().length + ready(own).length;
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ended,
    /** Received after the handshake. */
    bytes: () => bytes - handshake,
    resume: () => {
      connection?.removeAllListeners("data");
      connection?.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      connection?.resume();
    },
  };
}
