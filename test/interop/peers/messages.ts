import { createHash } from "node:crypto";

/**
 * Test messages that both ends can make by themselves, so that only a description of them travels beside the wire.
 * pyzmq_peer.py makes the same ones.
 */

/** The sizes of a message's parts in bytes, first part first. */
export type Shape = readonly number[];

/** 251 is prime: bytes that went astray by any power of two show. */
const PATTERN: Buffer = Buffer.from(Array.from({ length: 251 }, (_, i) => i));

/** `size` bytes that count up modulo 251 from `start`. */
export function body(start: number, size: number): Buffer {
  const at = start % PATTERN.length;
  return Buffer.alloc(size, Buffer.concat([PATTERN.subarray(at), PATTERN.subarray(0, at)]));
}

/** Message number `sequence`: each part's bytes start at a place of their own. */
export function message(sequence: number, shape: Shape): Buffer[] {
  return shape.map((size, part) => body(sequence * 31 + part * 7, size));
}

/** The parts' sizes and a digest of their bytes, e.g. `3+0+1:9a0364b9e99b`. */
export function digest(parts: readonly Uint8Array[]): string {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return `${parts.map((part) => part.length).join("+")}:${hash.digest("hex").slice(0, 12)}`;
}

/** The parts as Latin-1 texts joined by `|`. */
export function text(parts: readonly Uint8Array[]): string {
  return parts.map((part) => Buffer.from(part).toString("latin1")).join("|");
}

/** What the receiver must report for `send({ from, shapes })`. */
export function digests(from: number, shapes: readonly Shape[]): string[] {
  return shapes.map((shape, i) => digest(message(from + i, shape)));
}

const PROBE = "\0probe\0";

/** A message of which only the arrival counts: sent over and over until a subscription is known to be in force. */
export function probe(topic: string): Buffer[] {
  return [Buffer.from(topic, "latin1"), Buffer.from(PROBE)];
}

export function isProbe(parts: readonly Uint8Array[]): boolean {
  const last = parts[1];
  return parts.length === 2 && last?.length === PROBE.length && text([last]) === PROBE;
}

/** A message of a flood: three parts, of which the last repeats the first two, so that no mix of two messages passes. */
export function floodMessage(epoch: string, sequence: number): Buffer[] {
  const stamp = `${epoch} ${sequence}`;
  return [Buffer.from(epoch), Buffer.from(String(sequence)), Buffer.from(stamp.padEnd(200, "."))];
}

/** What came of one flood. */
export interface EpochTally {
  first: number;
  last: number;
  count: number;
  /** Numbers left out between one message and the next. */
  gaps: number;
  /** Numbers lower than the one before them. */
  disorder: number;
  /** Numbers that came more than once. Always wrong. */
  repeated: number;
}

export interface Tally {
  epochs: Record<string, EpochTally>;
  /** Messages that are no flood message, whole and unmixed; the first 5 of them. Always wrong. */
  broken: string[];
}

/** Keeps the books of the floods that a socket receives. */
export class FloodBook {
  readonly tally: Tally = { epochs: {}, broken: [] };
  readonly #seen = new Map<string, Set<number>>();

  take(parts: readonly Uint8Array[]): void {
    const epoch = text(parts.slice(0, 1));
    const sequence = Number(text(parts.slice(1, 2)));
    if (parts.length !== 3 || text(parts) !== text(floodMessage(epoch, sequence))) {
      if (this.tally.broken.length < 5) this.tally.broken.push(text(parts));
      return;
    }
    let numbers = this.#seen.get(epoch);
    let tally = this.tally.epochs[epoch];
    if (!numbers || !tally) {
      numbers = new Set();
      this.#seen.set(epoch, numbers);
      tally = { first: sequence, last: sequence - 1, count: 0, gaps: 0, disorder: 0, repeated: 0 };
      this.tally.epochs[epoch] = tally;
    }
    tally.count += 1;
    if (numbers.has(sequence)) tally.repeated += 1;
    else if (sequence < tally.last) tally.disorder += 1;
    else tally.gaps += sequence - tally.last - 1;
    numbers.add(sequence);
    tally.last = sequence;
  }
}
