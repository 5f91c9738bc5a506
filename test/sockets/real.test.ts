import { deepStrictEqual } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket as NetSocket, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Publisher, Pull, Push, Subscriber } from "../../src/index.ts";
import { trapRejections } from "../support/sim-sockets.ts";
import { until } from "../support/wait.ts";

trapRejections();

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function closing<T extends { close(): Promise<void>; linger: number; readonly closed: boolean }>(
  socket: T,
): T {
  cleanups.push(() => {
    if (!socket.closed) socket.linger = 0;
    return socket.close();
  });
  return socket;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "zmtp-test-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

let names = 0;
const wire: [string, () => string][] = [
  ["tcp", () => "tcp://127.0.0.1:*"],
  ["ipc", () => `ipc://${join(folder(), "s")}`],
];
const all: [string, () => string][] = [...wire, ["inproc", () => `inproc://${++names}`]];

describe.each(all)("over %s", (_scheme, address) => {
  it("gives Buffers like any other, however they were read", async () => {
    const pull = closing(new Pull());
    const push = closing(new Push());
    await pull.bind(address());
    push.connect(pull.lastEndpoint as string);
    const sent = [Buffer.from("abc"), Buffer.alloc(5000, "d"), Buffer.alloc(0), Buffer.alloc(100_000, "e")];
    await push.send(sent);
    const parts = await pull.receive();
    deepStrictEqual(parts, sent);
    for (const part of parts) expect(Object.getPrototypeOf(part)).toBe(Buffer.prototype);
  });

  it("CL-2: the last message before close arrives, 1000 times of 1000", async () => {
    const pull = closing(new Pull());
    await pull.bind(address());
    const received = (async () => {
      const seen = new Set<string>();
      for await (const [part] of pull) if (seen.add(String(part)).size === 1000) break;
      return seen;
    })();
    const last = async (n: number): Promise<void> => {
      const push = closing(new Push());
      push.connect(pull.lastEndpoint as string);
      await push.send(String(n));
      await push.close();
    };
    for (let n = 0; n < 1000; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => last(n + i)));
    expect((await received).size).toBe(1000);
  });

  it("E31: close right after a hundred thousand sends; the reader is slow", async () => {
    const pull = closing(new Pull());
    await pull.bind(address());
    const push = closing(new Push());
    push.connect(pull.lastEndpoint as string);
    const sent = (async () => {
      for (let n = 0; n < 100_000; n += 1) await push.send(String(n));
      await push.close();
    })();
    for (let n = 0; n < 100_000; ) {
      for (const [part] of await pull.receiveBatch()) {
        if (String(part) !== String(n)) throw new Error(`expected ${n}, got ${part}`);
        n += 1;
      }
      if (n % 7 === 0) await sleep(1);
    }
    await sent;
    expect(push.stats()).toMatchObject({ sent: 100_000, dropped: 0, queued: 0 });
  });

  it("N-5: what was sent after subscribed() resolved is received", async () => {
    for (let round = 0; round < 20; round += 1) {
      const publisher = closing(new Publisher());
      await publisher.bind(address());
      const subscriber = closing(new Subscriber());
      subscriber.connect(publisher.lastEndpoint as string);
      subscriber.subscribe("topic");
      await publisher.subscribed("topic");
      await publisher.send(["topic", "first"]);
      expect((await subscriber.receive()).map(String)).toEqual(["topic", "first"]);
      await Promise.all([publisher.close(), subscriber.close()]);
    }
  });

  it("EP-3: the address is free again after close, and after unbind", async () => {
    const first = closing(new Pull());
    await first.bind(address());
    const bound = first.lastEndpoint as string;
    const push = closing(new Push({ linger: 0 }));
    push.connect(bound);
    await push.send("x");
    await first.receive();
    await first.close();
    const second = closing(new Pull());
    await second.bind(bound);
    await second.unbind(bound);
    await second.bind(bound);
  });
});

describe.each(wire)("over %s, with bytes under way", (_scheme, address) => {
  it("after confirmed() too", async () => {
    const publisher = closing(new Publisher());
    await publisher.bind(address());
    const subscriber = closing(new Subscriber());
    const handshake = new Promise((resolve) => subscriber.events.on("handshake", resolve));
    subscriber.connect(publisher.lastEndpoint as string);
    await handshake;
    subscriber.subscribe("topic");
    expect(await subscriber.confirmed()).toBe("answered");
    await publisher.send("topic!");
    expect(String(await subscriber.receive())).toBe("topic!");
  });

  it("linger ends on time when the peer reads nothing", async () => {
    const pull = closing(new Pull({ receiveHighWaterMark: 1 }));
    await pull.bind(address());
    const push = closing(new Push({ linger: 200, sendHighWaterMark: 10 }));
    push.connect(pull.lastEndpoint as string);
    const body = Buffer.alloc(100_000);
    while (push.trySend(body) || push.stats().peers[0]?.socketType === null) await sleep(1);
    let ended = false;
    const closed = push.close().then(() => {
      ended = true;
    });
    await sleep(100);
    expect(ended).toBe(false);
    await closed;
    expect(push.stats().dropped).toBeGreaterThan(0);
  });
});

describe("bind errors (EP-1, EP-5)", () => {
  it.each([
    ["tcp://127.0.0.1", "EINVAL"],
    ["tcp://127.0.0.1:99999", "EINVAL"],
    ["tcp://192.0.2.1:5555", "EADDRNOTAVAIL"],
    ["tcp://no-such-interface:5555", "ENODEV"],
    [`ipc:///tmp/${"x".repeat(120)}`, "ENAMETOOLONG"],
    ["ws://127.0.0.1:5555", "EPROTONOSUPPORT"],
  ])("%s rejects with %s and the address", async (address, code) => {
    const pull = closing(new Pull());
    await expect(pull.bind(address)).rejects.toMatchObject({ name: "ZmqError", code, address });
    expect(pull.lastEndpoint).toBeNull();
  });

  it("EADDRINUSE", async () => {
    const pull = closing(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    const address = pull.lastEndpoint as string;
    await expect(closing(new Pull()).bind(address)).rejects.toMatchObject({
      code: "EADDRINUSE",
      errno: 98,
      address,
    });
  });
});

describe("E34: a port where nobody listens", () => {
  it("is dialled again and again, and ends no process", async () => {
    const server = await listen();
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const pull = closing(new Pull({ reconnectInterval: 5 }));
    const errors: unknown[] = [];
    pull.events.on("connect:retry", ({ error }) => errors.push((error as { code?: string }).code));
    pull.connect(`tcp://127.0.0.1:${port}`);
    while (errors.length < 5) await sleep(5);
    expect(new Set(errors)).toEqual(new Set(["ECONNREFUSED"]));
  });
});

describe("A proxy that cuts at every byte of a short session", () => {
  it("whole messages or nothing, and in the end everything is back", async () => {
    const pull = closing(new Pull());
    await pull.bind("tcp://127.0.0.1:*");
    const target = Number(/\d+$/.exec(pull.lastEndpoint as string)?.[0]);
    const { connect } = await import("node:net");
    for (let cut = 1; cut < 140; cut += 3) {
      const server = await listen((near) => {
        const far = connect(target, "127.0.0.1");
        let passed = 0;
        const end = (): void => {
          near.destroy();
          far.destroy();
        };
        near.on("data", (chunk) => {
          const rest = chunk.subarray(0, cut - passed);
          passed += rest.length;
          far.write(rest, () => {
            if (passed >= cut) end();
          });
        });
        far.on("data", (chunk) => near.write(chunk));
        for (const socket of [near, far]) socket.on("error", () => {}).on("close", end);
      });
      const push = closing(new Push({ linger: 0, reconnectInterval: -1 }));
      const gone = new Promise((resolve) => push.events.on("disconnect", resolve));
      push.connect(`tcp://127.0.0.1:${(server.address() as { port: number }).port}`);
      for (let n = 0; n < 5; n += 1) push.trySend(["part", "another", String(n)]);
      await gone;
      server.close();
    }
    const push = closing(new Push());
    push.connect(pull.lastEndpoint as string);
    await push.send("fine");
    for (;;) {
      const parts = (await pull.receive()).map(String);
      if (parts.length === 1 && parts[0] === "fine") break;
      expect(parts).toEqual(["part", "another", expect.stringMatching(/^\d$/)]);
    }
  });
});

describe("Nothing is left behind", () => {
  it("300 cycles of connect, subscribe and close: handles, listeners and signals as before", async () => {
    const publisher = closing(new Publisher());
    await publisher.bind("tcp://127.0.0.1:*");
    const abort = new AbortController();
    const cycle = async (): Promise<void> => {
      const subscriber = new Subscriber();
      subscriber.connect(publisher.lastEndpoint as string);
      subscriber.subscribe("a", "b");
      const waiting = subscriber.receive({ signal: abort.signal });
      await publisher.subscribed("b");
      await publisher.send("b1");
      expect(String(await waiting)).toBe("b1");
      await subscriber.close();
      // Else the next cycle would take this subscriber for its own.
      while (publisher.stats().peers.length > 0) await sleep(1);
    };
    const count = (): number => process.getActiveResourcesInfo().length;
    for (let i = 0; i < 10; i += 1) await cycle();
    const before = count();
    for (let i = 0; i < 300; i += 1) await cycle();
    await until("all handles are closed", () => count() <= before);
    expect(publisher.stats().sent).toBe(310);
  });

  it("nor by 300 silent peers that come and go", async () => {
    const pull = closing(new Pull({ handshakeInterval: 20, backlog: 400 }));
    await pull.bind("tcp://127.0.0.1:*");
    const port = Number(/\d+$/.exec(pull.lastEndpoint as string)?.[0]);
    const { connect } = await import("node:net");
    let gone = 0;
    pull.events.on("disconnect", ({ reason }) => {
      expect(reason).toBe("handshake");
      gone += 1;
    });
    const sockets = Array.from({ length: 300 }, () =>
      connect(port, "127.0.0.1")
        .on("error", () => {})
        .resume(),
    );
    while (gone < 300) await sleep(10);
    for (const socket of sockets) socket.destroy();
    expect(pull.stats().peers).toEqual([]);
  });
});

function listen(onSocket: (socket: NetSocket) => void = () => {}): Promise<Server> {
  const server = createServer(onSocket);
  cleanups.push(() => server.close());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
