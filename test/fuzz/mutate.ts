import type { Random } from "./random.ts";

/** Inputs are cut to this: what a size may do shows in small ones, and many small ones are worth more. */
export const MAX_INPUT = 1024;

/** Flags, the borders of sizes, and what begins and ends the known commands and the greeting; pieces of RESP. */
const INTERESTING: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 0x1f, 0x20, 0x7f, 0x80, 0xfe, 0xff,
];
const SIZES: readonly number[] = [
  0,
  1,
  254,
  255,
  256,
  2048,
  8192,
  8193,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const WORDS: readonly Uint8Array[] = [
  "\x05READY",
  "\x05ERROR",
  "\x09SUBSCRIBE",
  "\x06CANCEL",
  "\x04PING\0\0",
  "\x04PING\0\x0a",
  "\x04PONG",
  "\x0bSocket-Type\0\0\0\x03SUB",
  "\x0bSocket-Type\0\0\0\x04PULL",
  "\x08Identity\0\0\0\0",
  "NULL",
  "PLAIN",
  "CURVE",
  "\r\n",
  "$-1\r\n",
  "$?\r\n",
  ";0\r\n",
  "*1\r\n",
  "*?\r\n",
  ".\r\n",
  "%1\r\n",
  "|1\r\n",
  ">2\r\n+a\r\n",
  "$2\r\nab\r\n",
  ":1\r\n",
].map((text) => Uint8Array.from(text, (char) => char.charCodeAt(0)));

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.below(2) === 0 ? random.pick(INTERESTING) : random.below(256);
    return bytes;
  },
  function addToByte(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] as number) + random.below(9) - 4;
    return bytes;
  },
  function setSize(bytes, random) {
    const size = random.pick(SIZES);
    const width = random.pick([1, 2, 4, 8]);
    const at = random.below(bytes.length);
    for (let i = 0; i < width && at + i < bytes.length; i++) {
      bytes[at + i] = Math.floor(size / 256 ** (width - 1 - i)) & 255;
    }
    return bytes;
  },
  function drop(bytes, random) {
    const [from, to] = range(bytes, random);
    return splice(bytes, from, to, bytes.subarray(0, 0));
  },
  function duplicate(bytes, random) {
    const [from, to] = range(bytes, random);
    return splice(bytes, from, from, bytes.subarray(from, to));
  },
  function cutEnd(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function insertWord(bytes, random) {
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, random.below(2) === 0 ? at : bytes.length, random.pick(WORDS));
  },
  function insertCommand(bytes, random) {
    const word = random.pick(WORDS);
    const at = random.below(bytes.length + 1);
    const frame = new Uint8Array(2 + word.length);
    frame[0] = 4;
    frame[1] = word.length;
    frame.set(word, 2);
    return splice(bytes, at, at, frame);
  },
  function insertNoise(bytes, random) {
    const noise = new Uint8Array(1 + random.below(12));
    for (let i = 0; i < noise.length; i++) noise[i] = random.pick(INTERESTING);
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, at, noise);
  },
  function crossOver(bytes, random, other) {
    return splice(
      bytes,
      random.below(bytes.length + 1),
      bytes.length,
      other.subarray(random.below(other.length + 1)),
    );
  },
  function insertOther(bytes, random, other) {
    const [from, to] = range(other, random);
    const at = random.below(bytes.length + 1);
    return splice(bytes, at, at, other.subarray(from, to));
  },
];

/** One to four changes to a copy of `bytes`, with pieces of `other`. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let mutated: Uint8Array = bytes.slice();
  for (let left = 1 + random.below(4); left > 0; left--) {
    if (mutated.length === 0) mutated = Uint8Array.of(random.pick(INTERESTING));
    mutated = random.pick(MUTATIONS)(mutated, random, other);
  }
  return mutated.subarray(0, MAX_INPUT);
}

function range(bytes: Uint8Array, random: Random): [number, number] {
  const from = random.below(bytes.length + 1);
  const longest = Math.min(bytes.length - from, random.below(4) === 0 ? bytes.length : 16);
  return [from, from + random.below(longest + 1)];
}

function splice(bytes: Uint8Array, from: number, to: number, piece: Uint8Array): Uint8Array {
  const result = new Uint8Array(from + piece.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(piece, from);
  result.set(bytes.subarray(to), from + piece.length);
  return result;
}
