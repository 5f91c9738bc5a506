import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeGreeting, GreetingReader, parseGreeting } from "../../src/zmtp/greeting.ts";
import { oddGreeting } from "../generators/index.ts";
import { hex } from "../support/hex.ts";

const NULL_31 = hex(`ff 00 00 00 00 00 00 00 01 7f 03 01 "NULL" 00000000 00000000 00000000 00000000
  00 ${"00".repeat(31)}`);

/** How many bytes are read until the greeting is refused, and as what. */
function refusedAt(bytes: Uint8Array): [number, string] | null {
  const reader = new GreetingReader();
  for (let i = 0; i < bytes.length; i++) {
    try {
      reader.read(bytes[i] as number);
    } catch (error) {
      return [i + 1, `${(error as { code: string }).code} ${(error as Error).message}`];
    }
  }
  return null;
}

describe("GR-1, GR-2, GR-14: our greeting", () => {
  it("E2: is 64 bytes, version 3.1, padding 1", () => {
    expect(encodeGreeting("NULL", false)).toEqual(NULL_31);
  });

  it("as-server is byte 32", () => {
    expect(encodeGreeting("CURVE", true).subarray(10, 34)).toEqual(
      hex(`03 01 "CURVE" ${"00".repeat(15)} 01 00`),
    );
  });
});

describe("GR-5 to GR-7, GR-14, GR-15: the peer's greeting", () => {
  it("is read", () => {
    expect(parseGreeting(NULL_31)).toEqual({ version: [3, 1], mechanism: "NULL", asServer: false });
  });

  it("E2, E3, B-3, B-5: padding, filler and as-server are taken as they come", () => {
    fc.assert(
      fc.property(oddGreeting([3, 1]), (bytes) => {
        const asServer = bytes[32] === 1;
        expect(parseGreeting(bytes)).toEqual({ version: [3, 1], mechanism: "NULL", asServer });
      }),
    );
  });

  it("GR-5: the last byte of the signature needs only its lowest bit", () => {
    const bytes = NULL_31.slice();
    bytes[9] = 0x01;
    expect(parseGreeting(bytes).version).toEqual([3, 1]);
  });

  it("GR-6, GR-7, B-4: higher versions are accepted, and so is major 2", () => {
    for (const version of [
      [3, 0],
      [3, 9],
      [4, 0],
      [255, 255],
      [2, 0],
    ] as const) {
      const bytes = NULL_31.slice();
      bytes.set(version, 10);
      expect(parseGreeting(bytes).version).toEqual(version);
    }
  });

  it("fewer than 64 bytes are no greeting", () => {
    expect(() => parseGreeting(NULL_31.subarray(0, 63))).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_GREETING" }),
    );
  });
});

describe("GR-5, GR-6, GR-17, E5: foreign versions are refused by name, at the first byte that shows it", () => {
  it.each([
    ["HTTP", '"GET / HTTP/1.1"', 1, "its first byte is 0x47"],
    ["TLS", "16 03 01 02 00", 1, "its first byte is 0x16"],
    ["ZMTP 1.0, unversioned", "01 00 03 00 68 69", 1, "ZMTP 1.0"],
    ["ZMTP 1.0, a long first frame", "ff 00 00 00 00 00 00 00 01 7e", 10, "ZMTP 1.0"],
    ["ZMTP 1.0, versioned", "ff 00 00 00 00 00 00 00 01 7f 00 08", 11, "ZMTP 1.0: its revision is 0"],
    ["ZMTP 2.0", "ff 00 00 00 00 00 00 00 01 7f 01 08", 11, "ZMTP 2.0: its revision is 1"],
  ])("%s", (_, spelled, at, message) => {
    const refused = refusedAt(hex(spelled));
    expect(refused?.[0]).toBe(at);
    expect(refused?.[1]).toContain("ERR_ZMTP_VERSION");
    expect(refused?.[1]).toContain(message);
  });
});

describe("GR-13: the mechanism's name", () => {
  it("is what stands before the zeros, exactly", () => {
    const named = (spelled: string) => {
      const bytes = NULL_31.slice();
      bytes.set(hex(spelled), 12);
      return parseGreeting(bytes).mechanism;
    };
    expect(named('"null"')).toBe("null");
    expect(named('"NULLX"')).toBe("NULLX");
    expect(named(`"NULL" ${"20".repeat(16)}`)).toBe(`NULL${" ".repeat(16)}`);
    expect(named('"NULL" 00 "X"')).toBe("NULL\0X");
  });
});
