import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RespDecoder, RespError, type RespPush, type RespValue } from "../../../src/redis-resp/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { chunked, chunking, concat } from "../../generators/index.ts";
import { respBytes, respValue } from "../../generators/resp.ts";
import { byteByByte } from "../../support/chunks.ts";
import { filled, join } from "../../support/hex.ts";
import { decode, everyCut, spelled, utf8 } from "../../support/resp.ts";

interface Session {
  name: string;
  arraysArePushes: boolean;
  /** What redis-server sent, as latin1. */
  wire: string;
  values: string[];
}

const SESSIONS = readFixture<{ sessions: Session[] }>("redis-sessions.json").sessions;

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), "utf8")) as T;
}

function spelledAll(chunks: readonly Uint8Array[], arraysArePushes = false): unknown {
  const { values, error, isPartial } = decode(chunks, { arraysArePushes });
  return { values: values.map(spelled), error, isPartial };
}

function push(channel: string, payload: Uint8Array): Uint8Array {
  return join(
    utf8(`>3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${payload.length}\r\n`),
    payload,
    utf8("\r\n"),
  );
}

/** The payload of what has to be a message. */
function payloadOf(value: RespValue | RespPush | undefined): Uint8Array {
  return (value as RespPush).items[1] as Uint8Array;
}

describe("N-27: sessions with redis-server 7.0.15", () => {
  it.each(SESSIONS)("$name: the same under every cut", ({ wire, values, arraysArePushes }) => {
    const bytes = Buffer.from(wire, "latin1");
    for (const chunks of everyCut(bytes)) {
      expect(spelledAll(chunks, arraysArePushes)).toEqual({ values, error: null, isPartial: false });
    }
  });
});

describe("rows of pushes of one kind", () => {
  /** Heads that repeat, with what may stand between them and what looks like one and is none. */
  const pieces = [
    ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n",
    ">3\r\n$7\r\nmessage\r\n$0\r\n\r\n$0\r\n\r\n",
    ">3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$2\r\nhi\r\n",
    ">4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$2\r\nhi\r\n",
    "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n",
    ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n",
    ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n",
    ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
    ">2\r\n$7\r\nmessage\r\n$1\r\na\r\n",
    ">2\r\n$2\r\n\xc3\xa9\r\n$1\r\na\r\n",
    ">2\r\n$1\r\n\xe9\r\n$1\r\na\r\n",
    "|1\r\n+k\r\n>3\r\n$7\r\nmessage\r\n",
    "*2\r\n>3\r\n$7\r\nmessage\r\n",
    ">3\r\n$7\r\nmessage\r\n$3\r\nabXX$1\r\na\r\n",
    "+OK\r\n",
    "$?\r\n",
    ";0\r\n",
  ].map((text) => Buffer.from(text, "latin1"));
  const row = fc
    .tuple(fc.constantFrom(...pieces), fc.nat(4))
    .map(([piece, times]) => Array(times).fill(piece));

  it("are read as byte by byte, whatever stands between them", () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 8 }),
        chunking(),
        fc.boolean(),
        (rows, cuts, arraysArePushes) => {
          const bytes = concat(rows.flat());
          const one = spelledAll(chunked(bytes, cuts), arraysArePushes);
          expect(one).toEqual(spelledAll(byteByByte(bytes), arraysArePushes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("more than the limits allow is refused in the middle of a row too", () => {
    const message = (size: number): Uint8Array => push("c", filled(size, 1));
    const bytes = join(message(7), message(7), message(7), message(8));
    const { values, error } = decode([bytes], { maxBulk: 7, maxElements: 3, maxDepth: 1 });
    expect(values.length).toBe(3);
    expect(error?.reason).toBe("string of more than 7 bytes");
  });
});

describe("whatever the bytes and the cuts", () => {
  it("values that were encoded come back, however cut, and none is left half", () => {
    fc.assert(
      fc.property(fc.array(respValue(), { maxLength: 8 }), chunking(), (values, cuts) => {
        const bytes = concat(values.map((value) => value.bytes));
        expect(spelledAll(chunked(bytes, cuts))).toEqual({
          values: values.map((value) => value.spelled),
          error: null,
          isPartial: false,
        });
      }),
    );
  });

  it("bytes give values or a RespError and nothing else, the same however cut", () => {
    fc.assert(
      fc.property(respBytes(), chunking(), fc.boolean(), (bytes, cuts, arraysArePushes) => {
        expect(spelledAll(chunked(bytes, cuts), arraysArePushes)).toEqual(
          spelledAll([bytes.slice()], arraysArePushes),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it("chunks may also be pushed before any value is asked for", () => {
    fc.assert(
      fc.property(respBytes(), chunking(), (bytes, cuts) => {
        const decoder = new RespDecoder();
        for (const chunk of chunked(bytes, cuts)) decoder.push(chunk);
        const values: string[] = [];
        let offset: number | null = null;
        try {
          for (let value = decoder.next(); value !== undefined; value = decoder.next())
            values.push(spelled(value));
        } catch (error) {
          offset = (error as RespError).offset;
        }
        const whole = decode([bytes.slice()]);
        expect(values).toEqual(whole.values.map(spelled));
        expect(offset).toBe(whole.error?.offset ?? null);
      }),
    );
  });
});

describe("errors", () => {
  it("name the offset since the connection began and the bytes there, and come again", () => {
    const decoder = new RespDecoder();
    decoder.push(utf8("+OK\r\n"));
    expect(decoder.next()).toBe("OK");
    decoder.push(utf8(":1\r\n"));
    expect(decoder.next()).toBe(1);
    decoder.push(utf8(":12a\r\n+late\r\n"));
    const caught = thrownBy(() => decoder.next());
    expect(caught).toBeInstanceOf(RespError);
    expect(caught).toMatchObject({
      code: "EPROTO",
      name: "RespError",
      offset: 9,
      excerpt: "3a 31 32 61 0d 0a",
    });
    expect((caught as RespError).message).toBe("no integer, at byte 9: 3a 31 32 61 0d 0a");
    decoder.push(utf8("+OK\r\n"));
    expect(thrownBy(() => decoder.next())).toBe(caught);
    expect(thrownBy(() => decoder.next())).toBe(caught);
  });

  it("show 16 bytes at most", () => {
    const decoder = new RespDecoder();
    decoder.push(utf8("@234567890123456789"));
    expect(thrownBy(() => decoder.next())).toMatchObject({
      excerpt: "40 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36",
    });
  });

  it("the values before the mistake come first", () => {
    const decoder = new RespDecoder();
    decoder.push(utf8(":1\r\n:2\r\n@"));
    expect([decoder.next(), decoder.next()]).toEqual([1, 2]);
    expect(() => decoder.next()).toThrow(RespError);
  });

  it("a limit that is none is refused", () => {
    for (const options of [
      { maxDepth: 0 },
      { maxDepth: 1001 },
      { maxBulk: -1 },
      { maxLine: 31 },
      { maxElements: 1.5 },
      { maxBulk: Number.NaN },
    ]) {
      expect(thrownBy(() => new RespDecoder(options))).toMatchObject({ code: "EINVAL" });
    }
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

describe("memory", () => {
  it("a message that is kept stays what it is while 10,000 more arrive", () => {
    const decoder = new RespDecoder(nodeEnvironment());
    const wire = concat(Array.from({ length: 10_001 }, (_, i) => push("news", filled(100, i))));
    let kept: Uint8Array | null = null;
    let count = 0;
    for (let at = 0; at < wire.length; at += 1448) {
      decoder.push(wire.slice(at, at + 1448));
      for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
        kept ??= payloadOf(value);
        count += 1;
      }
    }
    expect(count).toBe(10_001);
    expect(kept).toEqual(Buffer.from(filled(100, 0)));
  });

  it("bulk strings are views into the chunk, made by `view`; on Node they are Buffers", () => {
    const decoder = new RespDecoder(nodeEnvironment());
    const chunk = Buffer.from("xx$5\r\nhello\r\n$?\r\n;2\r\nab\r\n;0\r\n$4\r\nab").subarray(2);
    decoder.push(chunk);
    const body = decoder.next() as Buffer;
    expect(Buffer.isBuffer(body)).toBe(true);
    expect([body.buffer, body.byteOffset]).toEqual([chunk.buffer, chunk.byteOffset + 4]);
    expect(Buffer.isBuffer(decoder.next())).toBe(true);
    expect(decoder.next()).toBeUndefined();
    decoder.push(Buffer.from("cd\r\n"));
    const joined = decoder.next() as Buffer;
    expect([Buffer.isBuffer(joined), joined.toString()]).toEqual([true, "abcd"]);
  });

  it("a length that is announced costs no more than 16 KiB", () => {
    for (const wire of [
      "$536870912\r\nx",
      "=268435440\r\nx",
      "$?\r\n;536870912\r\nx",
      "*16777216\r\n:1\r\n",
      "%8388608\r\n:1\r\n",
    ]) {
      const { allocated } = allocationsOf([utf8(wire)]);
      expect(allocated).toBeLessThanOrEqual(17_000);
    }
  });

  it("nor does a count that is announced", () => {
    const before = process.memoryUsage().heapUsed;
    const decoder = new RespDecoder();
    decoder.push(utf8("*16777215\r\n"));
    expect(decoder.next()).toBeUndefined();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });

  it("a string that spans chunks has memory of its own, of its size and its line end, whatever is announced", () => {
    const { values } = allocationsOf(
      chunked(join(utf8("$100000\r\n"), filled(100_000), utf8("\r\n")), [1448]),
    );
    const bytes = values[0] as Uint8Array;
    expect(bytes).toEqual(filled(100_000));
    expect(bytes.buffer.byteLength).toBe(100_002);
  });
});

/** Decodes, and counts what is asked of memory. */
function allocationsOf(chunks: readonly Uint8Array[]): {
  values: unknown[];
  allocated: number;
  count: number;
} {
  let allocated = 0;
  let count = 0;
  const allocate = (size: number): Uint8Array => {
    allocated += size;
    count += 1;
    return new Uint8Array(size);
  };
  return { values: decode(chunks, { allocate }).values, allocated, count };
}

describe("cost in proportion to the bytes", () => {
  /** Counts every byte that is read of a chunk or copied from it. */
  function readsOf(bytes: Uint8Array, chunkSize: number): number {
    let reads = 0;
    const counting = (chunk: Uint8Array): Uint8Array =>
      new Proxy(chunk, {
        get(target, key) {
          if (typeof key === "string" && /^\d+$/.test(key)) reads += 1;
          const value: unknown = Reflect.get(target, key, target);
          if (key !== "subarray") return value;
          return (from: number, to: number) => {
            reads += to - from;
            return target.subarray(from, to);
          };
        },
      });
    const decoder = new RespDecoder();
    for (let at = 0; at < bytes.length; at += chunkSize) {
      decoder.push(counting(bytes.slice(at, at + chunkSize)));
      while (decoder.next() !== undefined);
    }
    expect(decoder.isPartial).toBe(false);
    return reads;
  }

  it.each([1, 7, 64])(
    "in chunks of %i bytes each byte is looked at a few times, however long the value",
    (chunkSize) => {
      const nested = (depth: number): Uint8Array =>
        utf8(`${"*1\r\n".repeat(depth)}$2000\r\n${"x".repeat(2000)}\r\n`);
      const line = (size: number): Uint8Array => utf8(`+${"x".repeat(size)}\r\n`);
      const streamed = (parts: number): Uint8Array => utf8(`$?\r\n${";3\r\nabc\r\n".repeat(parts)};0\r\n`);
      const values = [
        nested(120),
        nested(1),
        line(30_000),
        streamed(1000),
        utf8(`*1000\r\n${":12345\r\n".repeat(1000)}`),
      ];
      for (const value of [...values, push("news", filled(20_000))]) {
        expect(readsOf(value, chunkSize)).toBeLessThanOrEqual(6 * value.length);
      }
    },
  );

  it("64 MB in random chunks: allocated less than one and a half times", () => {
    const size = 64_000_000;
    const body = Buffer.alloc(size, "0123456789abcdefghij");
    const message = Buffer.concat([
      Buffer.from(`>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$${size}\r\n`),
      body,
      Buffer.from("\r\n:1\r\n"),
    ]);
    const chunks: Uint8Array[] = [];
    let seed = 1;
    for (let at = 0; at < message.length; ) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const length = 1 + (seed % 100_000);
      chunks.push(message.subarray(at, at + length));
      at += length;
    }
    const { values, allocated, count } = allocationsOf(chunks);
    expect(values).toHaveLength(2);
    expect(Buffer.compare(payloadOf(values[0] as RespPush), body)).toBe(0);
    expect(allocated).toBeLessThan(1.5 * size);
    expect(count).toBeLessThan(20);
  });
});

describe("text", () => {
  it("4-byte code points over every cut", () => {
    const text = "\u{1f600}a\u{10ffff}\u{20ac}\u{1f600}";
    const size = utf8(text).length;
    for (const chunks of everyCut(
      utf8(`+${text}\r\n=${size + 4}\r\ntxt:${text}\r\n-ERR ${text}\r\n!${size}\r\n${text}\r\n`),
    )) {
      expect(decode(chunks).values.map(String)).toEqual([
        text,
        text,
        `ReplyError: ERR ${text}`,
        `ReplyError: ${text}`,
      ]);
    }
  });

  it("of the same length as the one before, and beyond ASCII", () => {
    const wire = "+OK\r\n+OK\r\n+KO\r\n+\u{e9}\r\n+ab\r\n+\u{e9}\r\n+OK\r\n";
    expect(decode([utf8(wire)]).values).toEqual(["OK", "OK", "KO", "\u{e9}", "ab", "\u{e9}", "OK"]);
  });

  it("a byte order mark is text; what is no UTF-8 becomes U+FFFD", () => {
    expect(
      decode([Uint8Array.of(0x2b, 0xef, 0xbb, 0xbf, 0x61, 13, 10, 0x2b, 0xff, 0x61, 13, 10)]).values,
    ).toEqual(["\u{feff}a", "\u{fffd}a"]);
  });
});
