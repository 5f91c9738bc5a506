import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeMessage,
  FrameDecoder,
  ProtocolError,
  parseGreeting,
  parseMetadata,
} from "../../src/zmtp/index.ts";
import { readNames } from "../support/imports.ts";
import * as generate from "./index.ts";

const FOLDER = new URL(".", import.meta.url);
const FILES = readdirSync(FOLDER).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return "good";
}

describe("the generators", () => {
  it.each(FILES)("%s knows fast-check, the public engine and its neighbours, and nothing else", (file) => {
    const { imports } = readNames(readFileSync(new URL(file, FOLDER), "utf8"));
    const allowed = ["fast-check", "../../src/zmtp/index.ts", ...FILES.map((other) => `./${other}`)];
    expect(imports.filter((specifier) => !allowed.includes(specifier))).toEqual([]);
  });

  it("pair every socket type with every other", () => {
    const { SOCKET_TYPES, COMPATIBLE_PAIRS, INCOMPATIBLE_PAIRS } = generate;
    expect(SOCKET_TYPES).toHaveLength(19);
    expect(COMPATIBLE_PAIRS).toHaveLength(29);
    expect(COMPATIBLE_PAIRS.length + INCOMPATIBLE_PAIRS.length).toBe(19 * 19);
  });

  it("chunks are the bytes, each in memory of its own, and byte by byte is byte by byte", () => {
    expect(generate.chunked(Uint8Array.of(1, 2, 3), [1]).map((chunk) => [...chunk])).toEqual([[1], [2], [3]]);
    expect(generate.chunked(Uint8Array.of(1, 2, 3), [0, 2]).map((chunk) => chunk.length)).toEqual([
      0, 2, 0, 1,
    ]);
    expect(generate.chunked(Uint8Array.of(1, 2, 3), [])).toHaveLength(1);
    fc.assert(
      fc.property(generate.body(), generate.chunking(), (bytes, chunking) => {
        const chunks = generate.chunked(bytes, chunking);
        expect(Buffer.compare(generate.concat(chunks), bytes)).toBe(0);
        expect(new Set([bytes, ...chunks].map(({ buffer }) => buffer)).size).toBe(1 + chunks.length);
      }),
    );
  });

  it("give messages with bodies at every border of size", () => {
    const sizes = new Set<number>();
    const seen = fc.sample(generate.message({ isLarge: true }), { numRuns: 600, seed: 1 });
    for (const part of seen.flat()) sizes.add(part.length);
    const borders = [...generate.NEAR_BORDERS, ...generate.NEAR_CHUNK_SIZE];
    expect(borders.filter((size) => !sizes.has(size))).toEqual([]);
  });

  it("greetings are read, broken ones refused for their reason", () => {
    fc.assert(
      fc.property(
        generate.version().chain((version) => fc.tuple(fc.constant(version), generate.greeting(version))),
        generate.brokenGreeting(),
        ([version, good], bad) => {
          expect(parseGreeting(good)).toMatchObject({ version, mechanism: "NULL" });
          if (bad.code === "ERR_ZMTP_VERSION") expect(codeOf(() => parseGreeting(bad.bytes))).toBe(bad.code);
          else expect(parseGreeting(bad.bytes).mechanism).not.toBe("NULL");
        },
      ),
    );
  });

  it("frames and ill-formed metadata are what they say", () => {
    const frames = fc.array(generate.frame(), { maxLength: 6 });
    fc.assert(
      fc.property(frames, generate.brokenFrame(), generate.illFormedMetadata(), (good, bad, metadata) => {
        const decoder = new FrameDecoder();
        decoder.push(generate.concat(good.map(({ bytes }) => bytes)));
        for (const { flags, body } of good) {
          const frame = decoder.next();
          expect([(frame?.flags ?? 0) & 5, frame?.body]).toEqual([flags, body]);
        }
        expect(decoder.next()).toBeNull();
        decoder.push(bad.bytes);
        expect(codeOf(() => decoder.next())).toBe(bad.code);
        expect(codeOf(() => parseMetadata(metadata.bytes))).toBe(metadata.code);
      }),
    );
  });

  it("messages to a publisher are split as RFC 29 has it", () => {
    const parts = [Uint8Array.of(1, 97), Uint8Array.of(97), Uint8Array.of(0), new Uint8Array(0)];
    expect(generate.messageEvents("XPUB", parts)).toEqual([
      { type: "subscription", subscribe: true, topic: Uint8Array.of(97) },
      { type: "subscription", subscribe: false, topic: new Uint8Array(0) },
      { type: "message", parts: [Uint8Array.of(97), new Uint8Array(0)] },
    ]);
    expect(generate.messageEvents("PULL", parts)).toEqual([{ type: "message", parts }]);
    expect(generate.frameOf(0, Uint8Array.of(7), true)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 1, 7));
    expect(generate.frameOf(0, Uint8Array.of(7))).toEqual(encodeMessage([Uint8Array.of(7)]));
  });
});
