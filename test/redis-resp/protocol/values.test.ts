import { describe, expect, it } from "vitest";
import { ZmqError } from "../../../src/errors.ts";
import { asText, ReplyError, type RespValue } from "../../../src/redis-resp/index.ts";
import { decode, utf8 } from "../../support/resp.ts";

describe("asText", () => {
  it("makes text of bytes at any depth, the keys of maps too, and leaves the rest", () => {
    const error = new ReplyError("ERR no");
    const value: RespValue = [
      utf8("a"),
      [utf8("\u{1f600}")],
      new Map([[utf8("key"), [utf8("v"), null]]]),
      1,
      2n,
      true,
      "s",
      error,
    ];
    expect(asText(value)).toEqual([
      "a",
      ["\u{1f600}"],
      new Map([["key", ["v", null]]]),
      1,
      2n,
      true,
      "s",
      error,
    ]);
    expect(asText(utf8("a".repeat(100)))).toBe("a".repeat(100));
    expect(asText(Uint8Array.of(0xff, 0x61))).toBe("\u{fffd}a");
  });

  it("reads HELLO's answer by name, a key __proto__ like any other", () => {
    const hello = decode([utf8("%2\r\n$5\r\nproto\r\n:3\r\n$9\r\n__proto__\r\n%1\r\n+x\r\n:1\r\n")])
      .values[0] as RespValue;
    const map = asText(hello) as Map<string, unknown>;
    expect(map.get("proto")).toBe(3);
    expect(map.get("__proto__")).toEqual(new Map([["x", 1]]));
    expect(Object.getPrototypeOf(map)).toBe(Map.prototype);
  });

  it("goes as deep as a decoder does", () => {
    const deep = decode([utf8(`${"*1\r\n".repeat(1000)}$1\r\na\r\n`)], { maxDepth: 1000 })
      .values[0] as RespValue;
    let inner = asText(deep);
    while (Array.isArray(inner)) inner = inner[0] ?? null;
    expect(inner).toBe("a");
  });
});

describe("ReplyError", () => {
  it.each([
    ["WRONGTYPE Operation against a key", "WRONGTYPE"],
    ["MOVED 3999 127.0.0.1:6381", "MOVED"],
    ["NOAUTH", "NOAUTH"],
    ["E_1 x", "E_1"],
    ["ERR unknown", "ERR"],
    ["unknown", "ERR"],
    ["Mixed case", "ERR"],
    ["", "ERR"],
    ["WRONG: colon", "ERR"],
  ])("%j has the code %s", (text, code) => {
    const error = new ReplyError(text);
    expect(error).toBeInstanceOf(ZmqError);
    expect([error.name, error.code, error.message]).toEqual(["ReplyError", code, text]);
  });
});
