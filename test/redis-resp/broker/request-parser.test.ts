import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RequestError, RequestParser } from "../../../src/redis-resp/broker/request-parser.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { byteByByte, cut } from "../../support/chunks.ts";
import { encode } from "./raw-client.ts";

const environment = nodeEnvironment();
const MIB = 2 ** 20;

function parser({ maxBulk = 512 * MIB, maxQueryBuffer = 1024 * MIB } = {}): RequestParser {
  const made = new RequestParser({ maxBulk, maxQueryBuffer }, environment);
  made.authenticated = true;
  return made;
}

/** All requests in the chunks, one character per byte; the error, where there is one, as the last. */
function parse(chunks: readonly Uint8Array[], into: RequestParser = parser()): (string[] | string)[] {
  const requests: (string[] | string)[] = [];
  try {
    for (const chunk of chunks) {
      into.push(chunk);
      for (let args = into.next(); args !== null; args = into.next()) {
        requests.push(args.map((arg) => Buffer.from(arg).toString("latin1")));
      }
    }
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    requests.push(error.reply ?? "closed");
  }
  return requests;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("requests", () => {
  it("arrays of bulk strings", () => {
    expect(parse([bytes("*2\r\n$3\r\nGET\r\n$5\r\na\r\nb\0\r\n*1\r\n$0\r\n\r\n")])).toEqual([
      ["GET", "a\r\nb\0"],
      [""],
    ]);
  });

  it("lines typed by hand", () => {
    const line = 'SET  "a b"\t\'c\\\'d\' "\\x41\\n\\q"  e"f"\r\n\r\nPING\n';
    expect(parse([bytes(line)])).toEqual([["SET", "a b", "c'd", "A\nq", "ef"], ["PING"]]);
  });

  it("no array, an empty one and an empty line are nothing", () => {
    expect(parse([bytes("*0\r\n*-1\r\n\r\n\n  \r\nPING\r\n")])).toEqual([["PING"]]);
  });

  it("the bytes behind a bulk string and behind a CR are not looked at, as the server does not", () => {
    expect(parse([bytes("*1\rx$4\ryPINGzz*1\r\n$1\r\na\r\n")])).toEqual([["PING"], ["a"]]);
  });

  it.each([
    ["*x\r\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*2147483648\r\n", "invalid multibulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$536870913\r\n", "invalid bulk length"],
    ["*1\r\n$99999999999999999999999\r\n", "invalid bulk length"],
    ["*1\r\n+OK\r\n", "expected '$', got '+'"],
    ['PING "a\r\n', "unbalanced quotes in request"],
    ['PING "a"b\r\n', "unbalanced quotes in request"],
    ["PING 'a'b\r\n", "unbalanced quotes in request"],
    [`*${"1".repeat(70_000)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(70_000)}`, "too big bulk count string"],
    ["a".repeat(70_000), "too big inline request"],
    [`${"a".repeat(70_000)}\n`, "too big inline request"],
  ])("%j ends with an error, wherever it is cut", (text, reason) => {
    const expected = [["PING"], `Protocol error: ${reason}`];
    expect(parse([bytes(`PING\r\n${text}`)])).toEqual(expected);
    expect(parse(byteByByte(bytes(`PING\r\n${text}`)))).toEqual(expected);
  });

  it("only small requests before the password", () => {
    const strict = (text: string): unknown => {
      const made = parser();
      made.authenticated = false;
      return parse([bytes(text)], made);
    };
    expect(strict("*11\r\n")).toEqual(["Protocol error: unauthenticated multibulk length"]);
    expect(strict("*1\r\n$16385\r\n")).toEqual(["Protocol error: unauthenticated bulk length"]);
    const most = Array.from({ length: 10 }, () => "x".repeat(16_384));
    expect(strict(encode(most).toString("latin1"))).toEqual([most]);
  });

  it("the password counts from the next request on, within the same chunk", () => {
    const made = parser();
    made.authenticated = false;
    const many = Array.from({ length: 11 }, () => "x");
    made.push(Buffer.concat([encode("AUTH secret"), encode(many)]));
    expect(made.next()).toHaveLength(2);
    made.authenticated = true;
    expect(made.next()).toHaveLength(11);
  });

  it("a request that has not come whole may fill the query buffer, and no more", () => {
    const head = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n";
    const fits = parser({ maxQueryBuffer: 1000 });
    // 64 for each of the three arguments, besides their bytes.
    expect(parse([bytes(`${head}$804\r\n${"x".repeat(804)}\r\n`)], fits)).toEqual([
      ["SET", "a", "x".repeat(804)],
    ]);
    const tooMuch = (): RequestParser => parser({ maxQueryBuffer: 1000 });
    expect(parse([bytes(`${head}$805\r\n${"x".repeat(805)}\r\n`)], tooMuch())).toEqual(["closed"]);
    expect(parse(byteByByte(bytes(`${head}$2000\r\n${"x".repeat(900)}`)), tooMuch())).toEqual(["closed"]);
    expect(parse([bytes(`*1000\r\n${"$0\r\n\r\n".repeat(20)}`)], tooMuch())).toEqual(["closed"]);
  });

  it("the limit is for one request, not for all", () => {
    const small = parser({ maxQueryBuffer: 1000 });
    expect(parse([bytes("*1\r\n$500\r\n".concat("x".repeat(500), "\r\n").repeat(10))], small)).toHaveLength(
      10,
    );
  });

  it("memory follows what has come, not what was announced", () => {
    const sizes: number[] = [];
    const counting = {
      ...environment,
      allocate: (size: number) => {
        sizes.push(size);
        return environment.allocate(size);
      },
    };
    const made = new RequestParser({ maxBulk: 512 * MIB, maxQueryBuffer: 1024 * MIB }, counting);
    made.authenticated = true;
    made.push(bytes("*1000000\r\n$536870912\r\nabc"));
    expect(made.next()).toBeNull();
    expect(Math.max(...sizes)).toBeLessThan(100_000);
  });
});

describe("requests in pieces", () => {
  const wire = Buffer.concat([
    encode(["SET", "a\r\nb", ""]),
    Buffer.from('ECHO "a b" c\r\n\r\n'),
    encode(["PUBLISH", "\0\xff", "x".repeat(40)]),
    Buffer.from("*0\r\nPING\n"),
  ]);
  const expected = parse([wire]);

  it("cut in two at every byte", () => {
    expect(expected).toHaveLength(4);
    for (let at = 0; at <= wire.length; at++) expect(parse(cut(wire, [at]))).toEqual(expected);
  });

  it("byte by byte", () => {
    expect(parse(byteByByte(wire))).toEqual(expected);
  });

  it("chunks that are pushed before anyone asks", () => {
    const made = parser();
    for (const chunk of byteByByte(wire)) made.push(chunk);
    expect(parse([new Uint8Array(0)], made)).toEqual(expected);
  });

  it("any requests in any pieces", () => {
    const arg = fc.oneof(
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom("", "\r\n", "*1\r\n", "$1\r\n").map((text) => bytes(text)),
    );
    const request = fc.array(
      arg.map((raw) => Buffer.from(raw).toString("latin1")),
      { minLength: 1, maxLength: 5 },
    );
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (requests, cuts) => {
          const encoded = Buffer.concat(requests.map(encode));
          expect(parse(cut(encoded, cuts))).toEqual(requests);
        },
      ),
    );
  });

  it("any bytes in any pieces: the same requests and the same error", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .constantFrom(
          "*1\r\n",
          "*2\r\n",
          "$1\r\n",
          "$3\r\nGET\r\n",
          "\r\n",
          "\n",
          '"',
          "'",
          "\\",
          "\r",
          "PING",
        )
        .map((text) => bytes(text)),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 15 }),
        fc.array(fc.nat(80), { maxLength: 10 }),
        (pieces, cuts) => {
          const all = Buffer.concat(pieces);
          expect(parse(cut(all, cuts))).toEqual(parse([all]));
        },
      ),
    );
  });

  it("16 MB in pieces of 1448 bytes", () => {
    const large = Buffer.alloc(16 * MIB, "0123456789");
    const made = parser();
    const encoded = Buffer.concat([
      Buffer.from(`*2\r\n$1\r\na\r\n$${large.length}\r\n`),
      large,
      Buffer.from("\r\n"),
    ]);
    let args: Uint8Array[] | null = null;
    for (let at = 0; at < encoded.length; at += 1448) {
      made.push(encoded.subarray(at, at + 1448));
      args = made.next();
    }
    expect(Buffer.compare(args?.[1] as Uint8Array, large)).toBe(0);
  });
});
