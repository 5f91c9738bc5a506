import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeCommand,
  errorBody,
  parseCommand,
  parseErrorReason,
  parsePing,
  pingBody,
} from "../../src/zmtp/command.ts";
import { ascii, filled, hex, join } from "../support/hex.ts";

const MALFORMED = expect.objectContaining({ code: "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED" });
const MALFORMED_ERROR = expect.objectContaining({ code: "ERR_ZMTP_MALFORMED_COMMAND_ERROR" });

describe("FR-9: RFC 37, Commands", () => {
  it("a command is a frame with the size of its name, its name and its data", () => {
    expect(encodeCommand("PONG")).toEqual(hex('04 05 04 "PONG"'));
    expect(encodeCommand("SUBSCRIBE", ascii("A"))).toEqual(hex('04 0B 09 "SUBSCRIBE" "A"'));
  });

  it("is read, a name of no bytes and an empty body too", () => {
    expect(parseCommand(hex('09 "SUBSCRIBE" "ab"'))).toEqual({ name: "SUBSCRIBE", data: ascii("ab") });
    expect(parseCommand(hex("00"))).toEqual({ name: "", data: ascii("") });
    expect(parseCommand(hex(""))).toEqual({ name: "", data: ascii("") });
  });

  it("a name longer than the body is refused", () => {
    expect(() => parseCommand(hex('20 "ABC"'))).toThrow(MALFORMED);
    expect(() => parseCommand(hex("01"))).toThrow(MALFORMED);
  });

  it("what is encoded is read", () => {
    const name = fc.stringMatching(/^[A-Z]{1,255}$/);
    fc.assert(
      fc.property(name, fc.uint8Array({ maxLength: 300 }), (name, data) => {
        const wire = encodeCommand(name, data);
        const header = 1 + name.length + data.length > 255 ? 9 : 2;
        expect(parseCommand(wire.subarray(header))).toEqual({ name, data });
      }),
    );
  });
});

describe("E8: SUBSCRIBE for topics about the border of the short form", () => {
  it.each([244, 245])("a topic of %i bytes is sent short", (size) => {
    expect(encodeCommand("SUBSCRIBE", filled(size))).toEqual(
      join(Uint8Array.of(4, 10 + size), hex('09 "SUBSCRIBE"'), filled(size)),
    );
  });

  it.each([246, 247, 255, 256, 257])("a topic of %i bytes is sent long", (size) => {
    expect(encodeCommand("SUBSCRIBE", filled(size))).toEqual(
      join(
        hex("06 00 00 00 00 00 00 01"),
        Uint8Array.of(10 + size - 256),
        hex('09 "SUBSCRIBE"'),
        filled(size),
      ),
    );
  });
});

describe("NU-8: ERROR", () => {
  it("has its reason with one octet of size", () => {
    expect(errorBody("400")).toEqual(hex('05 "ERROR" 03 "400"'));
    expect(errorBody("x".repeat(300))).toHaveLength(6 + 1 + 255);
  });

  it("is read, what follows the reason ignored", () => {
    expect(parseErrorReason(hex('03 "400"'))).toBe("400");
    expect(parseErrorReason(hex('03 "400" "zzz"'))).toBe("400");
    expect(parseErrorReason(hex("00"))).toBe("");
  });

  it("what is not printable is escaped", () => {
    expect(parseErrorReason(hex('06 "a" 1b 0a ff 7f 7e'))).toBe("a\\x1b\\x0a\\xff\\x7f~");
  });

  it("a reason without its size or longer than the data is refused", () => {
    expect(() => parseErrorReason(hex(""))).toThrow(MALFORMED_ERROR);
    expect(() => parseErrorReason(hex('10 "abc"'))).toThrow(MALFORMED_ERROR);
  });
});

describe("HB-1, HB-4: PING", () => {
  it("OP-HEARTBEAT: has its TTL in tenths of a second, rounded down, and its context", () => {
    expect(pingBody(0, ascii(""))).toEqual(hex('04 "PING" 00 00'));
    expect(pingBody(99, ascii(""))).toEqual(hex('04 "PING" 00 00'));
    expect(pingBody(65_600, ascii("ctx"))).toEqual(hex('04 "PING" 02 90 "ctx"'));
    expect(pingBody(6_553_599, ascii(""))).toEqual(hex('04 "PING" FF FF'));
  });

  it("B-40: a TTL of 656 is 65.6 seconds", () => {
    expect(parsePing(hex("02 90")).timeToLive).toBe(65_600);
    expect(parsePing(hex("FF FF")).timeToLive).toBe(6_553_500);
  });

  it("HB-3: one without a whole TTL is refused", () => {
    expect(() => parsePing(hex(""))).toThrow(MALFORMED);
    expect(() => parsePing(hex("00"))).toThrow(MALFORMED);
  });
});
