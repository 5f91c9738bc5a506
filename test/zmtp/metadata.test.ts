import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.ts";
import { encodeMetadata, parseMetadata } from "../../src/zmtp/metadata.ts";
import { properties } from "../generators/index.ts";
import { ascii, hex } from "../support/hex.ts";

function refused(spelled: string): void {
  expect(() => parseMetadata(hex(spelled))).toThrow(
    expect.objectContaining({ code: "ERR_ZMTP_INVALID_METADATA" }),
  );
}

describe("NU-1: RFC 37, Connection Metadata", () => {
  it("B-9: a property is its name with one octet of size and its value with four", () => {
    expect(
      encodeMetadata([
        ["Socket-Type", ascii("DEALER")],
        ["Identity", ascii("")],
      ]),
    ).toEqual(hex('0B "Socket-Type" 00000006 "DEALER" 08 "Identity" 00000000'));
  });

  it("names of our own are checked", () => {
    expect(() => encodeMetadata([["", ascii("")]])).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => encodeMetadata([["X é", ascii("")]])).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => encodeMetadata([["x".repeat(256), ascii("")]])).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });
});

describe("NU-5: what is not accepted", () => {
  it("a name of no bytes", () => refused("00 00000000"));
  it("letters that a name may not have", () => refused("05 61 20 62 00 FF 00000000"));
  it("one byte at the end", () => {
    refused('01 "X" 00000000 00');
    refused('01 "X" 00000000 41');
  });
  it("a value that runs past the end", () => refused('01 "X" 00000063 41'));
  it("a value of 2^32-1 bytes of which none is there", () => refused('01 "X" FFFFFFFF'));
  it("an end right after the name", () => refused('01 "X"'));
  it("a name that runs past the end", () => refused("FF 61 62 63"));
});

describe("E14, E15: what is", () => {
  it("empty values, duplicates, any legal letter", () => {
    expect(parseMetadata(hex('01 "X" 00000000 01 "x" 00000001 41 05 "-_.+9" 00000000'))).toEqual([
      ["X", ascii("")],
      ["x", ascii("A")],
      ["-_.+9", ascii("")],
    ]);
    expect(parseMetadata(hex(""))).toEqual([]);
  });
});

describe("properties", () => {
  it("what is encoded is read", () => {
    fc.assert(
      fc.property(properties(), (all) => {
        expect(parseMetadata(encodeMetadata(all))).toEqual(all);
      }),
    );
  });

  it("arbitrary bytes give properties or a ProtocolError", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(3), fc.nat(255)), { maxLength: 80 }), (bytes) => {
        try {
          parseMetadata(Uint8Array.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
