/**
 * RFC 37, "Framing":
 *
 *     frame = flags size body
 *     flags: bit 0 MORE, bit 1 LONG, bit 2 COMMAND, bits 3 to 7 reserved and zero
 *     size:  1 octet, or 8 octets in network order when LONG is set; counts the body alone
 */
import { ProtocolError } from "../errors.ts";
import { type Allocate, allocateUint8Array, ByteQueue, type View, viewUint8Array } from "./byte-queue.ts";

export const MORE = 0x01;
export const LONG = 0x02;
export const COMMAND = 0x04;
const RESERVED = 0xf8;

/** The largest body whose size fits the short form. */
const SHORT_MAX = 255;

/** What a part counts against byte limits in addition to its size, for empty parts cost memory too. */
export const PART_OVERHEAD = 64;

const RULE = "RFC 37, Framing";

export class Frame {
  /** MORE, LONG and COMMAND, as they came. */
  readonly flags: number;
  /** May be a view into a received chunk. */
  readonly body: Uint8Array;

  constructor(flags: number, body: Uint8Array) {
    this.flags = flags;
    this.body = body;
  }
}

export interface FrameLimits {
  /** Largest body of one frame in bytes. Default: no limit. */
  maxFrameSize?: number;
  /** Largest sum over a message's parts of size + 64. A command counts by itself. Default: no limit. */
  maxMessageBytes?: number;
  /** Largest body of a command frame, asked for when one of more than 255 bytes comes. Default: no limit. */
  maxCommandSize?: (() => number) | undefined;
  /** Likewise of a message frame at a socket to which nothing counts but subscriptions. */
  maxSubscriptionSize?: (() => number) | undefined;
}

/**
 * Turns received bytes into frames: push chunks of any size, then call `next` until it returns `null`.
 *
 * Bodies are views into the chunk, or one copy when they span chunks or the chunk is lent. Memory comes from `allocate`
 * (default: `new Uint8Array`, and so are views), whatever size the peer declares: for a body when all of it has arrived. Where
 * chunks are lent, a body of 16 KiB or more has its memory before: at most four times what has arrived of it, or as much as
 * one that came before.
 */
export class FrameDecoder {
  /** The bytes that are not decoded yet. */
  readonly bytes: ByteQueue;
  #maxFrameSize = Number.POSITIVE_INFINITY;
  #maxMessageBytes = Number.POSITIVE_INFINITY;
  #maxCommandSize: (() => number) | undefined;
  #maxSubscriptionSize: (() => number) | undefined;
  /** What the parts of the unfinished message count so far. */
  #messageBytes = 0;
  #flags = -1;
  #size = -1;

  constructor(
    limits: FrameLimits = {},
    allocate: Allocate = allocateUint8Array,
    view: View = viewUint8Array,
  ) {
    this.bytes = new ByteQueue(allocate, view);
    this.limit(limits);
  }

  /** Sets the limits for the frames whose header has not been read yet. */
  limit(limits: FrameLimits): void {
    this.#maxFrameSize = limits.maxFrameSize ?? Number.POSITIVE_INFINITY;
    this.#maxMessageBytes = limits.maxMessageBytes ?? Number.POSITIVE_INFINITY;
    this.#maxCommandSize = limits.maxCommandSize;
    this.#maxSubscriptionSize = limits.maxSubscriptionSize;
  }

  /**
   * The chunk belongs to the decoder from here on.
   * @param isLent only until `bytes.keep()`, which has to be called before the next push.
   */
  push(chunk: Uint8Array, isLent = false): void {
    this.bytes.push(chunk, isLent);
  }

  /** A frame has begun and is not complete. Meaningful when `next` has returned `null`. */
  get isPartial(): boolean {
    return this.#flags >= 0 || this.bytes.length > 0;
  }

  /**
   * The next frame, or `null` until more bytes come.
   *
   * @throws {ProtocolError} `ERR_ZMTP_FRAME` (reserved bits, COMMAND with MORE, an impossible size),
   *   `ERR_ZMTP_FRAME_TOO_LARGE`, `ERR_ZMTP_MESSAGE_TOO_LARGE`, `ERR_ZMTP_SUBSCRIPTION_LIMIT`: as soon as the header
   *   shows it, and the decoder is spent.
   */
  next(): Frame | null {
    if (this.#size < 0 && !this.#readHeader()) return null;
    if (this.bytes.length < this.#size) {
      this.bytes.expect(this.#size);
      return null;
    }
    const frame = new Frame(this.#flags, this.bytes.take(this.#size));
    this.#flags = -1;
    this.#size = -1;
    return frame;
  }

  #readHeader(): boolean {
    const bytes = this.bytes;
    if (this.#flags < 0) {
      if (bytes.length === 0) return false;
      this.#flags = checkFlags(bytes.takeByte());
    }
    if ((this.#flags & LONG) === 0) {
      if (bytes.length === 0) return false;
      this.#size = this.#checkSize(bytes.takeByte());
      return true;
    }
    if (bytes.length < 8) return false;
    this.#size = this.#checkSize(takeLongSize(bytes));
    return true;
  }

  /** Before any of the body has come, so that a hostile size neither waits nor allocates. */
  #checkSize(size: number): number {
    if (size > this.#maxFrameSize) {
      const message = `frame of ${size} bytes, the limit is ${this.#maxFrameSize}`;
      throw new ProtocolError("ERR_ZMTP_FRAME_TOO_LARGE", "maxMessageSize", message);
    }
    const isCommand = (this.#flags & COMMAND) !== 0;
    if (size > SHORT_MAX)
      this.#checkTopic(size, isCommand ? this.#maxCommandSize : this.#maxSubscriptionSize);
    const total = (isCommand ? 0 : this.#messageBytes) + size + PART_OVERHEAD;
    if (total > this.#maxMessageBytes) {
      const message = `message of at least ${total} bytes, the limit is ${this.#maxMessageBytes}`;
      throw new ProtocolError("ERR_ZMTP_MESSAGE_TOO_LARGE", "maxMessageBytes", message);
    }
    if (!isCommand) this.#messageBytes = (this.#flags & MORE) !== 0 ? total : 0;
    return size;
  }

  #checkTopic(size: number, max: (() => number) | undefined): void {
    if (max === undefined || size <= max()) return;
    const message = `frame of ${size} bytes, longer than that of any topic allowed`;
    throw new ProtocolError("ERR_ZMTP_SUBSCRIPTION_LIMIT", "maxTopicSize", message);
  }
}

function checkFlags(flags: number): number {
  if ((flags & RESERVED) !== 0) {
    throw new ProtocolError("ERR_ZMTP_FRAME", RULE, `reserved flag bits set: 0x${flags.toString(16)}`);
  }
  if ((flags & (COMMAND | MORE)) === (COMMAND | MORE)) {
    throw new ProtocolError("ERR_ZMTP_FRAME", RULE, "MORE set on a command frame");
  }
  return flags;
}

function takeLongSize(bytes: ByteQueue): number {
  let size = 0;
  for (let i = 0; i < 8; i++) size = size * 256 + bytes.takeByte();
  // Beyond 2^53 a number is not exact any more; nothing of that size can come either.
  if (size > Number.MAX_SAFE_INTEGER) {
    throw new ProtocolError("ERR_ZMTP_FRAME", RULE, `frame of ${size} bytes announced`);
  }
  return size;
}

export function headerSize(bodySize: number): number {
  return bodySize > SHORT_MAX ? 9 : 2;
}

/** Writes flags and size of a frame; LONG is added here. @returns where the body begins. */
export function writeHeader(target: Uint8Array, at: number, flags: number, bodySize: number): number {
  if (bodySize <= SHORT_MAX) {
    target[at] = flags;
    target[at + 1] = bodySize;
    return at + 2;
  }
  target[at] = flags | LONG;
  let rest = bodySize;
  for (let i = at + 8; i > at; i--) {
    target[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return at + 9;
}

/** One frame as bytes, the body copied. `flags` is MORE, COMMAND or 0. */
export function encodeFrame(flags: number, body: Uint8Array): Uint8Array {
  const wire = new Uint8Array(headerSize(body.length) + body.length);
  wire.set(body, writeHeader(wire, 0, flags, body.length));
  return wire;
}

/** A whole message as bytes, one frame per part, the bodies copied: RFC 37, "Messages". */
export function encodeMessage(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += headerSize(part.length) + part.length;
  const wire = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    at = writeHeader(wire, at, i < parts.length - 1 ? MORE : 0, part.length);
    wire.set(part, at);
    at += part.length;
  }
  return wire;
}
