import { describe, expect, it } from "vitest";
import { Core } from "../../../src/redis-resp/broker/core.ts";
import { encodeBulks, header } from "../../../src/redis-resp/broker/encoding.ts";
import { type BrokerOptions, resolveBrokerOptions } from "../../../src/redis-resp/broker/options.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import type { Stream, StreamHandler } from "../../../src/transports/transport.ts";

/** A connection by hand: what is written is kept, and nothing comes by itself. */
class HandStream implements Stream {
  readonly remoteAddress = "tcp://127.0.0.1:1";
  handler: StreamHandler | null = null;
  written = "";
  isPaused = false;
  isFull = false;
  ended: "end" | "destroy" | null = null;

  start(handler: StreamHandler): void {
    this.handler = handler;
  }
  write(chunks: readonly Uint8Array[]): boolean {
    this.written += Buffer.concat(chunks).toString("latin1");
    return !this.isFull;
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  end(): void {
    this.ended = "end";
  }
  destroy(): void {
    this.ended = "destroy";
  }
  receive(text: string): void {
    this.handler?.onData(Buffer.from(text));
  }
}

/** The end of each turn comes when the test says so. */
function start(options: BrokerOptions = {}): { core: Core; endTurn: () => void; connect: () => HandStream } {
  const due: (() => void)[] = [];
  const environment = { ...nodeEnvironment(), nextTurn: (callback: () => void) => due.push(callback) };
  const core = new Core(environment, resolveBrokerOptions(options));
  return {
    core,
    endTurn: () => {
      for (const callback of due.splice(0)) callback();
    },
    connect: () => {
      const stream = new HandStream();
      core.accept(stream);
      return stream;
    },
  };
}

describe("a session", () => {
  it("answers at once, and hands messages out at the end of the turn, joined", () => {
    const { connect, endTurn } = start();
    const [subscriber, publisher] = [connect(), connect()];
    subscriber.receive("SUBSCRIBE a\n");
    subscriber.written = "";
    publisher.receive("PUBLISH a 1\nPUBLISH a 2\n");
    expect(publisher.written).toBe(":1\r\n:1\r\n");
    expect(subscriber.written).toBe("");
    endTurn();
    expect(subscriber.written).toBe(
      "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n2\r\n",
    );
  });

  it("keeps what a full stream cannot take, in order", () => {
    const { connect } = start();
    const stream = connect();
    stream.isFull = true;
    stream.receive("ECHO 1\n");
    stream.receive("ECHO 2\n");
    expect(stream.written).toBe("$1\r\n1\r\n");
    stream.isFull = false;
    stream.handler?.onDrain();
    expect(stream.written).toBe("$1\r\n1\r\n$1\r\n2\r\n");
  });

  it("after QUIT nothing is executed, and the connection ends when all is written", () => {
    const { connect, core } = start();
    const stream = connect();
    stream.isFull = true;
    stream.receive("ECHO 1\n");
    stream.receive("QUIT\nPING\n");
    expect(stream.ended).toBeNull();
    stream.handler?.onDrain();
    expect(stream.written).toBe("$1\r\n1\r\n+OK\r\n");
    expect(stream.ended).toBe("end");
    expect(core.sessions.size).toBe(1);
    stream.handler?.onEnd(null);
    expect(core.sessions.size).toBe(0);
  });

  it("frozen, it keeps a chunk that still comes, and says nothing, before or after", () => {
    const { connect, core, endTurn } = start();
    const stream = connect();
    stream.receive("SSUBSCRIBE a\n");
    stream.written = "";
    const sender = connect();
    sender.receive("SPUBLISH a 1\n");
    core.freeze();
    endTurn();
    const { commands } = core.counters;
    stream.receive("PING\n");
    expect(core.counters.commands).toBe(commands);
    const late = connect();
    expect([stream.written, stream.isPaused, late.isPaused]).toEqual(["", true, true]);
    core.thaw();
    expect(stream.written).toBe(
      "*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n",
    );
    expect([stream.isPaused, late.isPaused]).toEqual([false, false]);
  });
});

describe("a session that does not read", () => {
  it("is not read from either, and goes on when it has caught up, also after a freeze", () => {
    const { connect, core } = start({ maxOutput: 20 });
    const stream = connect();
    stream.isFull = true;
    stream.receive("ECHO 0\n");
    stream.receive("ECHO 1\nECHO 2\nECHO 3\nECHO 4\nECHO 5\n");
    const said = (...numbers: number[]): string => numbers.map((n) => `$1\r\n${n}\r\n`).join("");
    expect([stream.written, stream.isPaused, core.counters.commands]).toEqual([said(0), true, 4]);
    core.freeze();
    core.thaw();
    expect([stream.isPaused, core.counters.commands]).toEqual([true, 4]);
    stream.isFull = false;
    stream.handler?.onDrain();
    expect([stream.written, stream.isPaused]).toEqual([said(0, 1, 2, 3, 4, 5), false]);
  });
});

describe("encoding", () => {
  const head = header("*", 2);
  const allocate = (size: number): Uint8Array => new Uint8Array(size);
  const text = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString("latin1");

  it.each([0, 1, 9, 10, 99, 100, 999, 1000, 4000, 5000, 10_000, 100_000])(
    "a bulk string of %d bytes",
    (size) => {
      const bulk = Buffer.alloc(size, "x");
      expect(text(encodeBulks(allocate, head, [bulk, Buffer.from("y")]))).toBe(
        `*2\r\n$${size}\r\n${"x".repeat(size)}\r\n$1\r\ny\r\n`,
      );
    },
  );

  it("a small one is copied into one chunk, a large one goes as it is", () => {
    expect(encodeBulks(allocate, head, [Buffer.alloc(1000)])).toHaveLength(1);
    const large = Buffer.alloc(5000);
    expect(encodeBulks(allocate, head, [large])).toContain(large);
  });
});
