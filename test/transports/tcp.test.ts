import { readFileSync } from "node:fs";
import { connect as netConnect, Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { createTcp, tcp } from "../../src/transports/tcp.ts";
import type { Stream, TransportOptions } from "../../src/transports/transport.ts";
import { stablePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import {
  atEnd,
  defaults,
  dial,
  type End,
  hasIPv6,
  later,
  listenOn,
  pair,
  rejection,
  temporaryFolder,
} from "./helpers.ts";
import { run } from "./programs/run.ts";

/** Binds, hands the address to `use`, and closes again. */
async function bound(address: string, options: Partial<TransportOptions> = {}): Promise<string> {
  return (await listenOn(tcp, address, options)).listener.address;
}

describe("EP-1, E42: tcp bind", () => {
  it.each([
    ["tcp://127.0.0.1:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://*:*", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["tcp://[127.0.0.1]:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://localhost:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
  ])("%s gives the real address back (EP-8)", async (address, shown) => {
    expect(await bound(address)).toMatch(shown);
  });

  it.runIf(process.platform === "linux")("takes an interface name", async () => {
    expect(await bound("tcp://lo:*")).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  it.runIf(process.platform === "linux" && hasIPv6)(
    "OP-IPV6: of an interface takes the IPv6 address if on",
    async () => {
      expect(await bound("tcp://lo:*", { ipv6: true })).toMatch(/^tcp:\/\/\[::1\]:[1-9]\d*$/);
    },
  );

  it("takes the port that it is given", async () => {
    const port = await stablePort();
    expect(await bound(`tcp://127.0.0.1:${port}`)).toBe(`tcp://127.0.0.1:${port}`);
  });

  it("a busy port: EADDRINUSE, with the address as it was given", async () => {
    const address = await bound("tcp://127.0.0.1:*");
    const error = await rejection(tcp.listen(address, defaults, () => {}));
    expect(error).toMatchObject({
      code: "EADDRINUSE",
      errno: 98,
      message: "Address already in use",
      address,
    });
  });

  it("an address of another machine: EADDRNOTAVAIL", async () => {
    const error = await rejection(tcp.listen("tcp://192.0.2.77:*", defaults, () => {}));
    expect(error).toMatchObject({ code: "EADDRNOTAVAIL", message: "Cannot assign requested address" });
  });

  it("neither an interface nor a host: ENODEV", async () => {
    const nobody = createTcp((_host, _family, callback) => callback(new Error("ENOTFOUND"), []));
    const error = await rejection(nobody.listen("tcp://nosuch0:*", defaults, () => {}));
    expect(error).toMatchObject({ code: "ENODEV", errno: 19, address: "tcp://nosuch0:*" });
  });

  it("a malformed address is refused by rejection as well", async () => {
    const error = await rejection(tcp.listen("tcp://127.0.0.1", defaults, () => {}));
    expect(error.code).toBe("EINVAL");
  });

  it("OP-IPV6: IPv6 while it is off: ENODEV", async () => {
    expect((await rejection(tcp.listen("tcp://[::1]:*", defaults, () => {}))).code).toBe("ENODEV");
    expect((await rejection(dial(tcp, "tcp://[::1]:5"))).code).toBe("ENODEV");
  });

  it("a zone that does not exist: EINVAL (EP-4)", async () => {
    const address = "tcp://[::1%nosuch0]:*";
    expect((await rejection(tcp.listen(address, { ...defaults, ipv6: true }, () => {}))).code).toBe("EINVAL");
    const elsewhere = "tcp://[::1%nosuch0]:5";
    expect((await rejection(dial(tcp, elsewhere, { ipv6: true }))).code).toBe("EINVAL");
  });

  it("an address is free again once close has resolved, and close may be called twice", async () => {
    const { listener } = await listenOn(tcp, "tcp://127.0.0.1:*");
    await Promise.all([listener.close(), listener.close()]);
    expect(await bound(listener.address)).toBe(listener.address);
  });

  it("accepted streams outlive their listener", async () => {
    const { listener, near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    await listener.close();
    near.stream.write([Buffer.from("still here")]);
    await far.recorder.until(() => far.recorder.received === 10);
    expect(far.recorder.bytes.toString()).toBe("still here");
    expect((await rejection(dial(tcp, listener.address))).code).toBe("ECONNREFUSED");
  });

  it("a second worker of a node:cluster gets EADDRINUSE", async () => {
    const address = `tcp://127.0.0.1:${await stablePort()}`;
    const program = run("cluster.ts", address);
    expect(await program.line()).toBe(address);
    expect(await program.line()).toBe("EADDRINUSE");
  });
});

describe.runIf(hasIPv6)("EP-4, IPv6 (needs ::1)", () => {
  it("connects over ::1 and shows both addresses in brackets", async () => {
    const { listener, near, far } = await pair(tcp, "tcp://[::1]:*", { ipv6: true });
    expect(listener.address).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
    expect(near.stream.remoteAddress).toBe(listener.address);
    expect(far.stream.remoteAddress).toMatch(/^tcp:\/\/\[::1\]:\d+$/);
  });

  it("`*` is dual-stack", async () => {
    const { listener, accepted } = await listenOn(tcp, "tcp://*:*", { ipv6: true });
    expect(listener.address).toMatch(/^tcp:\/\/\[::\]:\d+$/);
    const port = listener.address.split(":").at(-1);
    await dial(tcp, `tcp://127.0.0.1:${port}`);
    await dial(tcp, `tcp://[::1]:${port}`, { ipv6: true });
    await until("both are accepted", () => accepted.length === 2);
  });
});

describe("EP-2, source address", () => {
  it("is where the connection comes from", async () => {
    const { listener, accept } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const accepted = accept();
    const target = listener.address.slice("tcp://".length);
    const near = await dial(tcp, `tcp://127.0.0.2:0;${target}`);
    expect((await accepted).stream.remoteAddress).toMatch(/^tcp:\/\/127\.0\.0\.2:\d+$/);
    expect(near.stream.remoteAddress).toBe(listener.address);
  });

  it("may give the port too, and an interface", async () => {
    const { listener, accept } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const accepted = accept();
    const port = await stablePort();
    await dial(tcp, `tcp://lo:${port};${listener.address.slice("tcp://".length)}`);
    expect((await accepted).stream.remoteAddress).toBe(`tcp://127.0.0.1:${port}`);
  });

  it("that is not ours: EADDRNOTAVAIL; no interface: ENODEV; the other family: EADDRNOTAVAIL", async () => {
    const port = await stablePort();
    const code = async (source: string, ipv6 = false): Promise<string> =>
      (await rejection(dial(tcp, `tcp://${source};127.0.0.1:${port}`, { ipv6 }))).code;
    expect(await code("192.0.2.77:0")).toBe("EADDRNOTAVAIL");
    expect(await code("nosuch0:0")).toBe("ENODEV");
    expect(await code("[::1]:0", true)).toBe("EADDRNOTAVAIL");
  });
});

describe("dial", () => {
  it("connects, and tells each end who the other is", async () => {
    const { listener, near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    expect(near.stream.remoteAddress).toBe(listener.address);
    expect(far.stream.remoteAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(far.stream.remoteAddress).not.toBe(listener.address);
  });

  it("a refused connection: ECONNREFUSED with the address, and no other harm (E34)", async () => {
    const address = `tcp://127.0.0.1:${await stablePort()}`;
    expect(await rejection(dial(tcp, address))).toMatchObject({ code: "ECONNREFUSED", errno: 111, address });
  });

  it("calls back once, and never before it has returned", async () => {
    const calls: string[] = [];
    const note = (error: Error | null): number =>
      calls.push((error as { code?: string } | null)?.code ?? "ok");
    for (const address of ["tcp://127.0.0.1", "tcp://nosuch:5", `tcp://127.0.0.1:${await stablePort()}`]) {
      const instant = createTcp((_host, _family, callback) => {
        callback(Object.assign(new Error("no such host"), { code: "ENOTFOUND" }), []);
      });
      instant.dial(address, defaults, note);
      expect(calls).toEqual([]);
      await until("it has called back", () => calls.length > 0);
      await later(20);
      expect(calls.splice(0)).toHaveLength(1);
    }
  });

  it("N-21: resolves the name anew each time", async () => {
    const { listener } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const port = listener.address.split(":").at(-1);
    const asked: [string, number][] = [];
    const moving = createTcp((host, family, callback) => {
      asked.push([host, family]);
      setImmediate(() => callback(null, [{ address: asked.length === 1 ? "127.0.0.9" : "127.0.0.1" }]));
    });
    const address = `tcp://moving.example:${port}`;
    expect((await rejection(dial(moving, address))).code).toBe("ECONNREFUSED");
    expect((await dial(moving, address)).stream.remoteAddress).toBe(listener.address);
    await dial(moving, address, { ipv6: true });
    expect(asked).toEqual([
      ["moving.example", 4],
      ["moving.example", 4],
      ["moving.example", 0],
    ]);
  });

  it("E42: tries all addresses of a name in order", async () => {
    const { listener } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const port = listener.address.split(":").at(-1);
    const several = createTcp((_host, _family, callback) => {
      callback(null, [{ address: "127.0.0.8" }, { address: "127.0.0.9" }, { address: "127.0.0.1" }]);
    });
    const end = await dial(several, `tcp://several.example:${port}`);
    expect(end.stream.remoteAddress).toBe(listener.address);
  });

  it("a name that does not resolve fails with the resolver's code", async () => {
    // Too long a label for a query to be made of it.
    const address = `tcp://${"a".repeat(64)}.invalid:5`;
    const error = await rejection(dial(tcp, address));
    expect(error.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
    expect(error.address).toBe(address);
  });

  it("a resolver that never answers counts against connectTimeout", async () => {
    const silent = createTcp(() => {});
    const error = await rejection(dial(silent, "tcp://silent.example:5", { connectTimeout: 30 }));
    expect(error).toMatchObject({ code: "ETIMEDOUT", address: "tcp://silent.example:5" });
  });

  it.runIf(process.platform === "linux")(
    "connectTimeout: a host that does not answer gives ETIMEDOUT, and leaves time for the name's next address",
    async () => {
      const deaf = run("deaf.ts");
      const port = Number(await deaf.line());
      const fillers = Array.from({ length: 8 }, () => netConnect(port, "127.0.0.1"));
      for (const filler of fillers) filler.on("error", () => {});
      atEnd(() => {
        for (const filler of fillers) filler.destroy();
      });
      await later(100);
      const address = `tcp://127.0.0.1:${port}`;
      const error = await rejection(dial(tcp, address, { connectTimeout: 100 }));
      expect(error).toMatchObject({ code: "ETIMEDOUT", errno: 110, address });

      await listenOn(tcp, `tcp://127.0.0.2:${port}`);
      const both = createTcp((_host, _family, callback) => {
        callback(null, [{ address: "127.0.0.1" }, { address: "127.0.0.2" }]);
      });
      const end = await dial(both, `tcp://both.example:${port}`, { connectTimeout: 2000 });
      expect(end.stream.remoteAddress).toBe(`tcp://127.0.0.2:${port}`);
    },
  );

  it("cancel at any time: nothing comes any more", async () => {
    const { listener, accepted } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const port = listener.address.split(":").at(-1);
    let calls = 0;
    const done = (_error: Error | null, stream: Stream | null): void => {
      calls++;
      stream?.destroy();
    };
    tcp.dial(listener.address, defaults, done).cancel();
    const answers: (() => void)[] = [];
    const slow = createTcp((_host, _family, callback) => {
      answers.push(() => callback(null, [{ address: "127.0.0.1" }]));
    });
    const resolving = slow.dial(`tcp://slow.example:${port}`, { ...defaults, connectTimeout: 30 }, done);
    await later(10);
    resolving.cancel();
    expect(answers).toHaveLength(1);
    answers[0]?.();
    const connecting = tcp.dial(listener.address, defaults, done);
    await new Promise((resolve) => process.nextTick(resolve));
    connecting.cancel();
    await later(80);
    expect(calls).toBe(0);
    await until("nothing is open", () => accepted.every((end) => end.recorder.ends.length > 0));
  });

  it("cancel after a success leaves the stream alone", async () => {
    const { listener, accept } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const accepted = accept();
    await new Promise<void>((resolve) => {
      const attempt = tcp.dial(listener.address, defaults, (_error, stream) => {
        atEnd(() => stream?.destroy());
        stream?.start({ onData() {}, onDrain() {}, onEnd() {} });
        // The variable is set by now: done is never called before dial has returned.
        attempt.cancel();
        stream?.write([Buffer.from("alive")]);
        resolve();
      });
    });
    const { recorder } = await accepted;
    await recorder.until(() => recorder.received === 5);
    expect(recorder.bytes.toString()).toBe("alive");
  });

  it("a socket that has reached but itself is refused", async () => {
    const port = await stablePort();
    const error = await rejection(dial(tcp, `tcp://127.0.0.1:${port};127.0.0.1:${port}`));
    expect(error.code).toBe("ECONNREFUSED");
    expect(await bound(`tcp://127.0.0.1:${port}`)).toBe(`tcp://127.0.0.1:${port}`);
  });
});

describe("TCP_NODELAY", () => {
  it("is set at both ends, so that no small write waits for an acknowledgement", async () => {
    const setNoDelay = vi.spyOn(Socket.prototype, "setNoDelay");
    atEnd(() => setNoDelay.mockRestore());
    await pair(tcp, "tcp://127.0.0.1:*");
    expect(setNoDelay.mock.calls).toEqual([[true], [true]]);
    expect(new Set(setNoDelay.mock.contexts).size).toBe(2);
  });
});

describe("OP-TCP_KEEPALIVE: TCP keep-alive", () => {
  /** The kernel's timer column for the connection between two local ports; 02 is keep-alive. */
  function timerOf(localPort: number, remotePort: number): { kind: string; seconds: number } {
    const hex = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const row = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .find((columns) => columns[1] === hex(localPort) && columns[2] === hex(remotePort));
    const [kind = "", ticks = "0"] = row?.[5]?.split(":") ?? [];
    return { kind, seconds: Number.parseInt(ticks, 16) / 100 };
  }

  it.runIf(process.platform === "linux").each([
    [-1, -1, "02", 7200],
    [1, -1, "02", 7200],
    [1, 30, "02", 30],
    [0, 30, "00", 0],
  ] as const)("tcpKeepalive %d, idle %d: timer %s", async (tcpKeepalive, tcpKeepaliveIdle, kind, seconds) => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*", { tcpKeepalive, tcpKeepaliveIdle });
    const nearPort = Number(far.stream.remoteAddress.split(":").at(-1));
    const farPort = Number(near.stream.remoteAddress.split(":").at(-1));
    for (const timer of [timerOf(nearPort, farPort), timerOf(farPort, nearPort)]) {
      expect(timer.kind).toBe(kind);
      expect(Math.abs(timer.seconds - seconds)).toBeLessThan(10);
    }
  });
});

describe("process", () => {
  it("listeners and streams do not keep it alive", async () => {
    const folder = temporaryFolder();
    const program = run("idle.ts", `${folder}/s`);
    expect(await program.finished).toEqual({ code: 0, output: "4\n" });
  });

  it("a peer that resets at once costs the listener nothing", async () => {
    const { listener, accepted } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const port = Number(listener.address.split(":").at(-1));
    for (let i = 0; i < 20; i++) {
      const socket = netConnect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.on("connect", () => socket.resetAndDestroy());
    }
    const near = await dial(tcp, listener.address);
    near.stream.write([Buffer.from("good")]);
    const good = (): End | undefined => accepted.find(({ recorder }) => recorder.received === 4);
    await until("the good one is heard", () => good() !== undefined);
    expect(good()!.recorder.ends).toEqual([]);
  });
});
