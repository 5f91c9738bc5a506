import { createServer, connect as netConnect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { NetStream } from "../../src/transports/net-stream.ts";
import { tcp } from "../../src/transports/tcp.ts";
import type { StreamReader } from "../../src/transports/transport.ts";
import { atEnd, defaults, dial, type End, later, listenOn, pair, started } from "./helpers.ts";

const MIB = 2 ** 20;

/** A stream of ours, and the bare socket at its other end. */
async function withBareSocket(allowHalfOpen = false): Promise<{ end: End; socket: Socket }> {
  const server = createServer({ allowHalfOpen, pauseOnConnect: true });
  const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  atEnd(() => server.close());
  const { port } = server.address() as { port: number };
  const end = await dial(tcp, `tcp://127.0.0.1:${port}`);
  const socket = await connected;
  socket.on("error", () => {});
  atEnd(() => socket.destroy());
  return { end, socket };
}

/** Reads a paused socket until it ends, and says how it did. */
function allOf(socket: Socket): Promise<{ how: string; bytes: Buffer }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (how: string): void => resolve({ how, bytes: Buffer.concat(chunks) });
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => finish("end"));
    socket.on("error", (error) => finish(error.message));
    socket.resume();
  });
}

/** Bytes in which every place is told from its neighbours. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(at, at);
  return bytes;
}

describe("write", () => {
  it("sends batches in order, whatever their number of chunks", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    expect(near.stream.write([])).toBe(true);
    expect(near.stream.write([Buffer.from("a")])).toBe(true);
    expect(near.stream.write([Buffer.from("b"), new Uint8Array([0x63]), Buffer.alloc(0)])).toBe(true);
    near.stream.write(Array.from({ length: 5000 }, () => Buffer.from("d")));
    await far.recorder.until(() => far.recorder.received === 5003);
    expect(far.recorder.bytes.toString()).toBe(`abc${"d".repeat(5000)}`);
  });

  it("both ways", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    far.stream.write([Buffer.from("hello")]);
    await near.recorder.until(() => near.recorder.received === 5);
    expect(near.recorder.bytes.toString()).toBe("hello");
  });

  it("says false while 64 KiB are unwritten, takes them all the same, and tells when they have drained", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    near.stream.pause();
    let written = 0;
    for (let isOpen = true; isOpen; written += 65_536)
      isOpen = far.stream.write([Buffer.alloc(32_768), Buffer.alloc(32_768)]);
    expect(far.stream.write([Buffer.alloc(1)])).toBe(false);
    expect(far.stream.isDrained).toBe(false);
    const drains = far.recorder.drains;
    near.stream.resume();
    await far.recorder.until(() => far.recorder.drains === drains + 1);
    await near.recorder.until(() => near.recorder.received === written + 1);
    expect(far.stream.isDrained).toBe(true);
  });

  it("says true when the system takes 64 KiB and more at once", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    expect(near.stream.write([Buffer.alloc(32_768), Buffer.alloc(32_768)])).toBe(true);
    await far.recorder.until(() => far.recorder.received === 65_536);
    expect(far.stream.write([Buffer.alloc(32_768), Buffer.alloc(32_769)])).toBe(true);
  });

  it("of one chunk says false only while the system has not taken it", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    near.stream.pause();
    expect(far.stream.write([Buffer.alloc(20 * MIB)])).toBe(false);
    await later(30);
    expect(far.recorder.drains).toBe(0);
    near.stream.resume();
    await far.recorder.until(() => far.recorder.drains === 1);
    await near.recorder.until(() => near.recorder.received === 20 * MIB);
  });

  it("says false once the peer has closed: there is nobody for what follows", async () => {
    const { end, socket } = await withBareSocket(true);
    end.stream.write([Buffer.alloc(20 * MIB)]);
    socket.end();
    await later(50);
    expect(end.recorder.ends).toEqual([]);
    expect(end.stream.write([Buffer.from("x")])).toBe(false);
    await end.recorder.ended();
    expect(end.recorder.drains).toBe(0);
  });

  it("10 MiB to a peer that pauses: nothing lost, nothing out of order", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    const data = pattern(10 * MIB);
    far.stream.pause();
    let isStalled = false;
    for (let at = 0; at < data.length; at += 16_384) {
      const full = !near.stream.write([data.subarray(at, at + 8192), data.subarray(at + 8192, at + 16_384)]);
      if (!full) continue;
      const drains = near.recorder.drains;
      const drained = near.recorder.until(() => near.recorder.drains > drains);
      if (!isStalled) {
        isStalled = await Promise.race([drained.then(() => false), later(50).then(() => true)]);
        expect(far.recorder.received).toBe(0);
        if (isStalled) far.stream.resume();
      }
      await drained;
    }
    expect(isStalled).toBe(true);
    await far.recorder.until(() => far.recorder.received === data.length);
    expect(far.recorder.bytes.equals(data)).toBe(true);
  });
});

describe("received chunks", () => {
  it("belong to the handler: later ones leave them alone", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    const kept: { chunk: Uint8Array; text: string }[] = [];
    for (let i = 0; i < 20; i++) {
      near.stream.write([Buffer.from(`message ${i}`)]);
      const before = far.recorder.chunks.length;
      await far.recorder.until(() => far.recorder.chunks.length > before);
      const chunk = far.recorder.chunks.at(-1) as Uint8Array;
      kept.push({ chunk, text: Buffer.from(chunk).toString() });
    }
    for (const { chunk, text } of kept) expect(Buffer.from(chunk).toString()).toBe(text);
  });

  it("of a stream that was dialled are the handler's too, though they are read into the same memory", async () => {
    const { end, socket } = await withBareSocket();
    for (let i = 0; i < 20; i++) {
      socket.write(`message ${i};`);
      const before = end.recorder.received;
      await end.recorder.until(() => end.recorder.received >= before + `message ${i};`.length);
    }
    const text = Array.from({ length: 20 }, (_, i) => `message ${i};`).join("");
    expect(end.recorder.bytes.toString()).toBe(text);
  });

  it("go to where the reader of a stream that was dialled has space, else are lent for the call", async () => {
    const data = Buffer.alloc(MIB, "0123456789abcdef");
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.write(data);
      atEnd(() => socket.destroy());
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    atEnd(() => server.close());
    const memory = Buffer.alloc(MIB);
    const came = { filled: 0, lent: 0, own: 0 };
    await new Promise<void>((resolve) => {
      const at = (): number => came.filled + came.lent;
      const reader: StreamReader = {
        // The first bytes find no space.
        space: (least) => (at() > 0 && MIB - at() >= least ? memory.subarray(at()) : null),
        onFilled(size) {
          came.filled += size;
          if (at() === MIB) resolve();
        },
        onLentData(chunk) {
          memory.set(chunk, at());
          came.lent += chunk.length;
          if (at() === MIB) resolve();
        },
      };
      const onData = (chunk: Uint8Array): void => {
        came.own += chunk.length;
      };
      const { port } = server.address() as { port: number };
      tcp.dial(`tcp://127.0.0.1:${port}`, defaults, (_error, stream) => {
        stream?.start({ reader, onData, onDrain() {}, onEnd() {} });
        atEnd(() => stream?.destroy());
      });
    });
    expect(memory.equals(data)).toBe(true);
    expect([came.filled > 0, came.lent > 0, came.own]).toEqual([true, true, 0]);
  });

  it("that came before start are not lost", async () => {
    const { listener } = await listenOn(tcp, "tcp://127.0.0.1:*");
    await listener.close();
    const server = createServer();
    const connected = new Promise<Socket>((resolve) => server.once("connection", resolve));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    atEnd(() => server.close());
    const client = netConnect((server.address() as { port: number }).port, "127.0.0.1");
    atEnd(() => client.destroy());
    client.end(Buffer.alloc(100_000, "x"));
    const stream = new NetStream(await connected, "tcp://127.0.0.1:1");
    await later(50);
    const { recorder } = started(stream);
    await recorder.ended();
    expect([recorder.received, recorder.ends]).toEqual([100_000, [null]]);
  });

  it("none after destroy, even from within onData", async () => {
    const { end, socket } = await withBareSocket();
    let chunks = 0;
    end.recorder.onData = () => {
      chunks++;
      end.stream.destroy();
    };
    end.stream.pause();
    socket.write(Buffer.alloc(4 * MIB));
    await later(50);
    end.stream.resume();
    await end.recorder.ended();
    await later(20);
    expect([chunks, end.recorder.ends]).toEqual([1, [null]]);
  });
});

describe("CL-6, B-39: end", () => {
  it("writes out 1000 small batches first, and both ends end in good order", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    for (let i = 0; i < 1000; i++) near.stream.write([Buffer.from("abcdefgh")]);
    near.stream.end();
    await Promise.all([near.recorder.ended(), far.recorder.ended()]);
    expect(far.recorder.bytes.toString()).toBe("abcdefgh".repeat(1000));
    expect([near.recorder.ends, far.recorder.ends]).toEqual([[null], [null]]);
  });

  it("does not destroy what the peer has not read while the peer itself goes on sending", async () => {
    const { end, socket } = await withBareSocket();
    const data = pattern(MIB);
    end.stream.write([data]);
    end.stream.end();
    // To a closed connection these would be answered with a reset.
    const chatter = setInterval(() => socket.write(Buffer.alloc(10_000)), 5);
    await later(300);
    const { how, bytes } = await allOf(socket);
    expect([how, bytes.equals(data)]).toEqual(["end", true]);
    clearInterval(chatter);
    expect(end.recorder.received).toBe(0);
    await end.recorder.ended();
    expect(end.recorder.ends).toEqual([null]);
  });

  it("does not destroy it either when there were bytes that we had not read", async () => {
    const { end, socket } = await withBareSocket();
    const data = pattern(MIB);
    end.stream.pause();
    socket.write(Buffer.alloc(400_000));
    await later(50);
    end.stream.write([data]);
    end.stream.end();
    await end.recorder.ended();
    const { how, bytes } = await allOf(socket);
    expect([how, bytes.equals(data)]).toEqual(["end", true]);
  });

  it("does not wait for ever for a peer that does not close", async () => {
    const { end, socket } = await withBareSocket(true);
    end.stream.write([Buffer.from("bye")]);
    end.stream.end();
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.resume();
    await end.recorder.ended();
    expect([received, end.recorder.ends]).toEqual(["bye", [null]]);
  });

  it("can be cut short by destroy", async () => {
    const { end } = await withBareSocket();
    end.stream.write([Buffer.alloc(20 * MIB)]);
    end.stream.end();
    await later(50);
    expect(end.recorder.ends).toEqual([]);
    end.stream.destroy();
    await end.recorder.ended();
    expect(end.recorder.ends).toEqual([null]);
  });

  it("says so when the peer resets before everything is written", async () => {
    const { end, socket } = await withBareSocket();
    end.stream.write([Buffer.alloc(20 * MIB)]);
    end.stream.end();
    await later(20);
    socket.resetAndDestroy();
    await end.recorder.ended();
    expect((end.recorder.ends[0] as NodeJS.ErrnoException).code).toMatch(/^(ECONNRESET|EPIPE)$/);
  });
});

describe("onEnd", () => {
  it("null when the peer closes in good order", async () => {
    const { end, socket } = await withBareSocket();
    socket.end("last words");
    await end.recorder.ended();
    expect([end.recorder.bytes.toString(), end.recorder.ends]).toEqual(["last words", [null]]);
  });

  it("null also when that leaves bytes of ours unwritten", async () => {
    const { end, socket } = await withBareSocket(true);
    end.stream.write([Buffer.alloc(20 * MIB)]);
    socket.end();
    await end.recorder.ended();
    expect(end.recorder.ends).toEqual([null]);
  });

  it("null also when it then resets what we still write", async () => {
    const { end, socket } = await withBareSocket(true);
    end.stream.write([Buffer.alloc(20 * MIB)]);
    socket.end();
    await later(100);
    socket.resetAndDestroy();
    await end.recorder.ended();
    expect(end.recorder.ends).toEqual([null]);
  });

  it("ECONNRESET, with node's error, when the peer resets", async () => {
    const { end, socket } = await withBareSocket();
    socket.resetAndDestroy();
    await end.recorder.ended();
    expect(end.recorder.ends[0]).toMatchObject({ code: "ECONNRESET" });
  });

  it("comes once, and everything afterwards is harmless and silent", async () => {
    const { near, far } = await pair(tcp, "tcp://127.0.0.1:*");
    near.stream.destroy();
    near.stream.destroy();
    far.stream.write([Buffer.alloc(MIB)]);
    await Promise.all([near.recorder.ended(), far.recorder.ended()]);
    for (const { stream } of [near, far]) {
      expect(stream.write([Buffer.from("too late")])).toBe(false);
      expect(stream.write([Buffer.from("too"), Buffer.from("late")])).toBe(false);
      stream.pause();
      stream.resume();
      stream.end();
      stream.destroy();
      stream.end();
    }
    await later(30);
    expect(near.recorder.ends).toEqual([null]);
    expect(far.recorder.ends).toHaveLength(1);
  });

  it("comes later than the call that caused it", async () => {
    const { near } = await pair(tcp, "tcp://127.0.0.1:*");
    near.stream.destroy();
    expect(near.recorder.ends).toEqual([]);
    await near.recorder.ended();
  });

  it("an error before start is kept for it", async () => {
    const { listener } = await listenOn(tcp, "tcp://127.0.0.1:*");
    const stream = await new Promise<NetStream>((resolve) => {
      tcp.dial(listener.address, defaults, (_error, dialled) => resolve(dialled as NetStream));
    });
    stream.destroy();
    await later(30);
    const { recorder } = started(stream);
    expect(recorder.ends).toEqual([]);
    await recorder.ended();
    expect(recorder.ends).toEqual([null]);
  });
});

describe("writing after the peer has reset", () => {
  it("counts as an ordinary end", async () => {
    const { end, socket } = await withBareSocket();
    end.stream.pause();
    socket.resetAndDestroy();
    await later(20);
    for (let i = 0; i < 10; i++) end.stream.write([Buffer.from("x")]);
    await end.recorder.ended();
    await later(20);
    expect(end.recorder.ends).toHaveLength(1);
    expect((end.recorder.ends[0] as NodeJS.ErrnoException).code).toMatch(/^(EPIPE|ECONNRESET)$/);
  });
});
