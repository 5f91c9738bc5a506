import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Argument, CommandWriter, encodeCommand } from "../../../src/redis-resp/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { concat } from "../../generators/index.ts";
import { filled, join } from "../../support/hex.ts";
import { decode, utf8 } from "../../support/resp.ts";

const environment = nodeEnvironment();

function encoded(...args: Argument[]): string {
  return Buffer.from(encodeCommand(args)).toString();
}

/** Each bulk string of a command by itself, put together the slow way. */
function reference(args: readonly Argument[]): Uint8Array {
  const items = args.map((argument) => {
    const body = argument instanceof Uint8Array ? argument : utf8(String(argument));
    return join(utf8(`$${body.length}\r\n`), body, utf8("\r\n"));
  });
  return join(utf8(`*${args.length}\r\n`), ...items);
}

describe("encodeCommand", () => {
  it("is an array of bulk strings", () => {
    expect(encoded("PING")).toBe("*1\r\n$4\r\nPING\r\n");
    expect(encoded("SET", "", Uint8Array.of(0x61, 0x0d, 0x0a))).toBe(
      "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$3\r\na\r\n\r\n",
    );
    expect(encoded("GET", "gr\u{fc}n \u{1f600}")).toBe("*2\r\n$3\r\nGET\r\n$10\r\ngr\u{fc}n \u{1f600}\r\n");
    expect(encoded("GET", "\u{d800}")).toBe("*2\r\n$3\r\nGET\r\n$3\r\n\u{fffd}\r\n");
    expect(encodeCommand(["A", ...new Array<string>(11).fill("b")]).subarray(0, 5)).toEqual(utf8("*12\r\n"));
  });

  it.each<[Argument, string]>([
    [0, "0"],
    [-0, "0"],
    [-7, "-7"],
    [2 ** 53, "9007199254740992"],
    [1e21, "1000000000000000000000"],
    [-1e22, "-10000000000000000000000"],
    [9223372036854775807n, "9223372036854775807"],
    [-9223372036854775808n, "-9223372036854775808"],
    [0.1, "0.1"],
    [1.5e300, BigInt(1.5e300).toString()],
    [1e-7, "1e-7"],
  ])("the number %s is sent as %s", (number, digits) => {
    expect(encoded("X", number)).toBe(`*2\r\n$1\r\nX\r\n$${digits.length}\r\n${digits}\r\n`);
  });

  it("refuses what is no argument, and a command without a name", () => {
    for (const wrong of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      undefined,
      true,
      {},
      ["a"],
      Symbol("a"),
      new ArrayBuffer(1),
      () => "a",
    ]) {
      expect(() => encodeCommand(["SET", "k", wrong as Argument])).toThrow(TypeError);
    }
    expect(() => encodeCommand([])).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });
});

describe("CommandWriter", () => {
  it("is the encoder, whatever the arguments and whenever what is ready is taken, and has been sent", () => {
    const size = fc.oneof(
      fc.nat(60),
      fc.nat(5000),
      fc.constantFrom(31, 32, 33, 99, 100, 999, 1000, 4095, 4096, 4097, 70_000),
    );
    const letters = fc.constantFrom("a", "\u{e9}", "\u{20ac}", "\u{1f600}", "\u{d800}");
    const argument = fc.oneof<fc.Arbitrary<Argument>[]>(
      fc.tuple(size, letters).map(([n, letter]) => `${"x".repeat(n >> 1)}${letter.repeat(Math.min(n, 40))}`),
      size.map((n) => "x".repeat(n)),
      size.map((n) => filled(n)),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.integer(),
      fc.bigInt(),
    );
    const command = fc.array(argument, { minLength: 1, maxLength: 4 });
    const then = fc.constantFrom("waits", "is taken", "is sent");
    fc.assert(
      fc.property(fc.array(fc.tuple(command, then), { maxLength: 30 }), (commands) => {
        const writer = new CommandWriter(environment);
        let chunks: Uint8Array[] = [];
        let waiting = 0;
        for (const [args, what] of commands) {
          const written = writer.write(args);
          expect(written).toBe(reference(args).length);
          waiting += written;
          expect(writer.size).toBe(waiting);
          if (what === "waits") continue;
          chunks.push(...writer.take());
          waiting = 0;
          if (what === "is taken") continue;
          chunks = chunks.map((chunk) => Buffer.from(chunk));
          writer.rewind();
        }
        chunks.push(...writer.take());
        expect(writer.size).toBe(0);
        expect(Buffer.compare(concat(chunks), concat(commands.map(([args]) => reference(args))))).toBe(0);
        for (const [args] of commands) expect(Buffer.compare(encodeCommand(args), reference(args))).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("what the decoder reads are the arguments", () => {
    const strings = ["PUBLISH", "caf\u{e9}", "\u{1f600}".repeat(20)];
    expect(decode([encodeCommand(strings)]).values).toEqual([strings.map(utf8)]);
  });

  it("adds nothing of a command that is refused", () => {
    const writer = new CommandWriter(environment);
    writer.write(["PING"]);
    expect(() => writer.write(["SET", "key", filled(10_000), Number.NaN])).toThrow(TypeError);
    expect(writer.size).toBe(14);
    expect(Buffer.concat(writer.take()).toString()).toBe("*1\r\n$4\r\nPING\r\n");
  });

  it("passes bytes over 4 KiB on by reference, copies others", () => {
    const writer = new CommandWriter(environment);
    const [small, large] = [filled(4096), filled(4097)];
    writer.write(["PUBLISH", "c", small]);
    writer.write(["PUBLISH", "c", large]);
    const chunks = writer.take();
    expect(chunks).toContain(large);
    const before = concat(chunks);
    small.fill(0);
    expect(concat(chunks)).toEqual(before);
  });

  it("joins small commands in few chunks, and gives nothing when nothing waits", () => {
    const writer = new CommandWriter(environment);
    for (let i = 0; i < 1000; i++) writer.write(["PUBLISH", "channel", "x".repeat(100)]);
    expect(writer.take().length).toBeLessThan(12);
    expect(writer.take()).toEqual([]);
  });

  it("writes again to the memory of what has been sent, not of what waits", () => {
    const writer = new CommandWriter(environment);
    writer.write(["PING"]);
    const [first] = writer.take();
    writer.rewind();
    writer.write(["ECHO", "a"]);
    writer.rewind();
    writer.write(["ECHO", "b"]);
    const [second] = writer.take();
    expect(Buffer.from(second!).toString()).toBe(
      "*2\r\n$4\r\nECHO\r\n$1\r\na\r\n*2\r\n$4\r\nECHO\r\n$1\r\nb\r\n",
    );
    expect([second!.buffer, second!.byteOffset]).toEqual([first!.buffer, first!.byteOffset]);
  });

  it("never writes again to what it has handed out, unless it has been sent", () => {
    const writer = new CommandWriter(environment);
    const taken: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for (let i = 0; i < 500; i++) {
      writer.write(["PUBLISH", `channel ${i}`, "\u{e9}".repeat(i % 50)]);
      for (const chunk of writer.take()) {
        taken.push(chunk);
        copies.push(Buffer.from(chunk));
      }
    }
    expect(taken).toEqual(copies);
  });
});
