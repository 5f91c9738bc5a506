import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { slotOf } from "../../../src/redis-resp/cluster/slot.ts";

/** CRC16 (XMODEM) bit by bit, as the specification defines it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const octet of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const carry = ((crc >> 15) ^ (octet >> bit)) & 1;
      crc = ((crc << 1) & 0xffff) ^ (carry ? 0x1021 : 0);
    }
  }
  return crc;
}

describe("key distribution: CRC16 (XMODEM) modulo 16384", () => {
  it("as CLUSTER KEYSLOT of redis-server 7.0 answers", () => {
    // 0x31C3 is the check value of CRC16/XMODEM for these digits; it is below 16384.
    expect(slotOf("123456789")).toBe(0x31c3);
    expect(slotOf("")).toBe(0);
    expect(slotOf("a")).toBe(15495);
    expect(slotOf("c")).toBe(7365);
    expect(slotOf("news")).toBe(5161);
    expect(slotOf("schlüssel")).toBe(7677);
    expect(slotOf(Buffer.from([0xff, 0x00, 0x7b]))).toBe(159);
  });

  it("every key, as bytes or as text", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (key) => {
        fc.pre(!key.includes(0x7b));
        expect(slotOf(key)).toBe(crc16(key) % 16384);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (key) => {
        expect(slotOf(key)).toBe(slotOf(Buffer.from(key)));
      }),
    );
  });
});

describe("hash tags", () => {
  it("only what stands between the first { and the next } counts", () => {
    expect(slotOf("{user1000}.following")).toBe(slotOf("user1000"));
    expect(slotOf("foo{bar}{zap}")).toBe(slotOf("bar"));
    expect(slotOf("}{a}")).toBe(slotOf("a"));
  });

  it("the tag may begin with a brace", () => {
    expect(slotOf("foo{{bar}}zap")).toBe(slotOf("{bar"));
  });

  it("an empty tag, or one that is not closed, is none", () => {
    expect(slotOf("foo{}{bar}")).toBe(8363);
    expect(slotOf("{}")).toBe(15257);
    expect(slotOf("foo{bar")).toBe(15278);
    expect(slotOf("}foo{")).toBe(8453);
  });

  it("keys with the same tag share a slot", () => {
    const part = fc.string({ unit: "grapheme" }).filter((text) => !/[{}]/.test(text));
    fc.assert(
      fc.property(part, part.filter(Boolean), part, (before, tag, after) => {
        expect(slotOf(`${before}{${tag}}${after}`)).toBe(slotOf(tag));
      }),
    );
  });
});
