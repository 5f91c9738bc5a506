/**
 * What is fuzzed. A target takes bytes, one byte that chooses its options, and numbers that choose how the bytes are cut. It returns a
 * signature: what happened in broad strokes, by which an input is known to be new. It throws `Finding` when the rules are broken:
 *
 * - bytes give events or a ProtocolError (RESP: values or a RespError), and never another exception
 * - in so many steps as there are bytes, and with memory and output in proportion to them
 * - the same events and the same error however the bytes are cut
 * - after the end nothing: no event, no output, no deadline
 */
import { RespDecoder, RespError } from "../../src/redis-resp/index.ts";
import {
  Connection,
  type ConnectionOptions,
  encodeCommand,
  encodeGreeting,
  encodeMetadata,
  FrameDecoder,
  isCompatible,
  ProtocolError,
  parseCommand,
  parseGreeting,
  parseMetadata,
  type SocketType,
} from "../../src/zmtp/index.ts";
import { concat, SOCKET_TYPES } from "../generators/index.ts";
import { spelled } from "../support/resp.ts";
import { Digest } from "./digest.ts";
import { Random } from "./random.ts";

export class Finding extends Error {}

export interface Input {
  bytes: Uint8Array;
  /** 0 to 255. */
  choice: number;
  /** Seed of the cuts. */
  cuts: number;
}

/** Counts what one run takes. One for all of them, for a closure per run costs more than the run. */
class Memory {
  #total = 0;

  readonly allocate = (size: number): Uint8Array => {
    this.#total += size;
    return new Uint8Array(size);
  };

  begin(): void {
    this.#total = 0;
  }

  check(inputSize: number): void {
    const limit = inputSize * MEMORY_FACTOR + MEMORY_BASE;
    if (this.#total > limit) throw new Finding(`${this.#total} bytes allocated, ${limit} are enough`);
  }
}

export type Target = (input: Input) => number;

const EMPTY = new Uint8Array(0);

/** Of allocated memory: joins double, each body that spans chunks is copied once, and the slabs of the output. */
const MEMORY_FACTOR = 16;
const MEMORY_BASE = 65_536;
/** A PONG is as long as its PING without the TTL; the base is our own greeting, READY, ERROR and what was held. */
const OUTPUT_BASE = 4096;

/** What one way of cutting gave. */
interface Outcome {
  digest: number;
  signature: number;
  error: string;
  sent: Uint8Array;
  /** Nothing had ended the connection when the bytes were through. */
  isOpen: boolean;
}

type Feed = (chunks: readonly Uint8Array[]) => Outcome;

function twice(input: Input, feed: Feed): number {
  const random = new Random(input.cuts);
  const whole = feed([input.bytes.slice()]);
  const pieces = feed(cutAtRandom(input.bytes, random));
  if (whole.digest !== pieces.digest || whole.error !== pieces.error) {
    throw new Finding(`other events or another error when cut: ${whole.error} and ${pieces.error}`);
  }
  const common = Math.min(whole.sent.length, pieces.sent.length);
  // What waited to be sent when an end came is dropped, and how much that is depends on when it was taken.
  if (whole.isOpen && whole.sent.length !== pieces.sent.length) throw new Finding("other answers when cut");
  for (let i = 0; i < common; i++)
    if (whole.sent[i] !== pieces.sent[i]) throw new Finding("other answers when cut");
  return whole.signature;
}

function cutAtRandom(bytes: Uint8Array, random: Random): Uint8Array[] {
  const copy = bytes.slice();
  const chunks: Uint8Array[] = [];
  const longest = random.pick([1, 3, 9, 20, 64, 65, 255, 256, 1000]);
  for (let at = 0; at < bytes.length; ) {
    const size = longest === 1 ? 1 : random.below(longest + 1);
    chunks.push(copy.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** The code and the rule, or the reason; a message tells of numbers that differ without anything new in it. */
function codeOf(error: unknown): string {
  if (error instanceof ProtocolError) return `${error.code} ${error.rule}`;
  if (error instanceof RespError) return error.message.replace(/, at byte.*/, "");
  throw new Finding(`not an error of the protocol: ${error instanceof Error ? error.stack : String(error)}`);
}

function signatureOf(kinds: Digest, count: number, error: string): number {
  kinds.number(32 - Math.clz32(count));
  kinds.text(error);
  return kinds.value >>> 0;
}

const memory = new Memory();

const decoder: Target = (input) =>
  twice(input, (chunks) => {
    const limits = input.choice % 2 === 0 ? {} : { maxFrameSize: 1000, maxMessageBytes: 1500 };
    memory.begin();
    const decoder = new FrameDecoder(limits, memory.allocate);
    const digest = new Digest();
    const kinds = new Digest();
    let count = 0;
    let error = "";
    try {
      for (const chunk of chunks) {
        decoder.push(chunk);
        for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
          if (++count > input.bytes.length) throw new Finding("more frames than bytes");
          digest.number(frame.flags);
          digest.bytes(frame.body);
          if (count <= 6) kinds.number(frame.flags * 32 + 32 - Math.clz32(frame.body.length));
        }
      }
      digest.number(decoder.isPartial ? 1 : 0);
    } catch (thrown) {
      if (thrown instanceof Finding) throw thrown;
      error = codeOf(thrown);
    }
    memory.check(input.bytes.length);
    return {
      digest: digest.value,
      signature: signatureOf(kinds, count, error),
      error,
      sent: EMPTY,
      isOpen: true,
    };
  });

/** Small ones, so that they are met. */
const RESP_LIMITS = { maxDepth: 4, maxBulk: 100, maxLine: 40, maxElements: 20 };

const resp: Target = (input) =>
  twice(input, (chunks) => {
    memory.begin();
    const limits = input.choice % 2 === 0 ? {} : RESP_LIMITS;
    const decoder = new RespDecoder({ ...limits, allocate: memory.allocate });
    decoder.arraysArePushes = input.choice % 4 > 1;
    const digest = new Digest();
    const kinds = new Digest();
    let count = 0;
    let error = "";
    try {
      for (const chunk of chunks) {
        decoder.push(chunk);
        for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
          if (++count > input.bytes.length) throw new Finding("more values than bytes");
          const text = spelled(value);
          digest.text(text);
          if (count <= 6) kinds.text(text.replace(/[^<>[\]{}"(]+/g, "").slice(0, 12));
        }
      }
      digest.number(decoder.isPartial ? 1 : 0);
    } catch (thrown) {
      if (thrown instanceof Finding) throw thrown;
      error = codeOf(thrown);
      if (thrown instanceof RespError) digest.number(thrown.offset);
    }
    memory.check(input.bytes.length);
    const signature = signatureOf(kinds, count, error);
    return { digest: digest.value, signature, error, sent: EMPTY, isOpen: true };
  });

const greeting: Target = ({ bytes }) => {
  const kinds = new Digest();
  try {
    const { version, mechanism, asServer } = parseGreeting(bytes);
    if (bytes.length < 64 || bytes[0] !== 0xff || mechanism.length > 20)
      throw new Finding("a greeting of nothing");
    kinds.text(`${Math.min(version[0], 4)}.${Math.min(version[1], 2)} ${mechanism.length} ${asServer}`);
  } catch (error) {
    if (error instanceof Finding) throw error;
    kinds.text(codeOf(error));
  }
  return kinds.value >>> 0;
};

const metadata: Target = ({ bytes }) => {
  const kinds = new Digest();
  try {
    const properties = parseMetadata(bytes);
    if (properties.length * 6 > bytes.length) throw new Finding("more properties than bytes");
    if (!same(encodeMetadata(properties), bytes))
      throw new Finding("metadata that encodes to something else");
    for (const [name, value] of properties.slice(0, 5)) {
      kinds.number(name.length > 20 ? 21 : name.length);
      kinds.number(32 - Math.clz32(value.length));
    }
  } catch (error) {
    if (error instanceof Finding) throw error;
    kinds.text(codeOf(error));
  }
  return kinds.value >>> 0;
};

const command: Target = ({ bytes }) => {
  const kinds = new Digest();
  try {
    const { name, data } = parseCommand(bytes);
    const isNamed = name.length > 0;
    const header = 1 + name.length + data.length > 255 ? 9 : 2;
    if (isNamed && !same(encodeCommand(name, data).subarray(header), bytes))
      throw new Finding("another command");
    kinds.text(/^(READY|ERROR|SUBSCRIBE|CANCEL|PING|PONG)$/.test(name) ? name : String(name.length));
    kinds.number(32 - Math.clz32(data.length));
  } catch (error) {
    if (error instanceof Finding) throw error;
    kinds.text(codeOf(error));
  }
  return kinds.value >>> 0;
};

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** What a good peer says before the traffic, for each type of ours. */
const OPENINGS = new Map<SocketType, Uint8Array>(
  SOCKET_TYPES.map((ours) => {
    const theirs = SOCKET_TYPES.find((type) => isCompatible(ours, type)) as SocketType;
    const ready = encodeCommand("READY", encodeMetadata([["Socket-Type", new TextEncoder().encode(theirs)]]));
    return [ours, concat([encodeGreeting("NULL", false), ready])];
  }),
);

/** `stage`: where the input begins, the good peer having said what comes before. */
function connection(stage: "greeting" | "handshake" | "traffic"): Target {
  return (input) => {
    const ours = SOCKET_TYPES[input.choice % SOCKET_TYPES.length] as SocketType;
    const before = (OPENINGS.get(ours) as Uint8Array).slice(
      0,
      { greeting: 0, handshake: 64, traffic: 1e6 }[stage],
    );
    const isLimited = input.choice >= 128;
    return twice(input, (chunks) => play(ours, isLimited, before, chunks, input.bytes.length));
  };
}

const LIMITED: Omit<ConnectionOptions, "now" | "socketType"> = {
  maxMessageSize: 500,
  maxMessageBytes: 1000,
  heartbeatInterval: 1000,
  heartbeatTimeToLive: 2000,
};

function play(
  ours: SocketType,
  isLimited: boolean,
  before: Uint8Array,
  chunks: readonly Uint8Array[],
  size: number,
): Outcome {
  memory.begin();
  const { allocate } = memory;
  const peer = new Connection({ socketType: ours, now: 0, allocate, ...(isLimited ? LIMITED : {}) });
  const player = new Player(peer, size);
  let error = "";
  let isOpen = false;
  try {
    peer.send([Uint8Array.of(7)]);
    if (/^X?SUB$/.test(ours)) peer.subscribe(EMPTY);
    peer.ping();
    if (before.length > 0) {
      player.read(before.slice());
      player.take();
    }
    for (let i = 0; i < chunks.length; i++) {
      player.read(chunks[i] as Uint8Array);
      if ((i & 3) === 0) player.take();
    }
    player.take();
    isOpen = peer.stage !== "closed";
    const end = isOpen ? peer.end() : null;
    if (end !== null) error = codeOf(end);
  } catch (thrown) {
    if (thrown instanceof Finding) throw thrown;
    error = codeOf(thrown);
    player.take();
  }
  checkOver(peer);
  memory.check(size);
  return player.outcome(error, isOpen);
}

/** Asks a connection for all that it gives, and keeps account of it. */
class Player {
  readonly #peer: Connection;
  readonly #size: number;
  readonly #digest = new Digest();
  readonly #kinds = new Digest();
  readonly #sent: Uint8Array[] = [];
  readonly #views: Uint8Array[] = [];
  #count = 0;

  /** @param size of the input. */
  constructor(peer: Connection, size: number) {
    this.#peer = peer;
    this.#size = size;
  }

  read(chunk: Uint8Array): void {
    const peer = this.#peer;
    peer.push(chunk);
    for (let event = peer.next(); event !== null; event = peer.next()) {
      if (++this.#count > this.#size + 2) throw new Finding("more events than bytes");
      this.#digest.event(event);
      if (event.type === "message" && this.#views.length < 64) this.#views.push(...event.parts);
      if (this.#count <= 8) this.#kinds.text(event.type);
    }
  }

  take(): void {
    for (const chunk of this.#peer.output()) this.#sent.push(chunk);
  }

  outcome(error: string, isOpen: boolean): Outcome {
    const sent = concat(this.#sent);
    if (sent.length > this.#size + OUTPUT_BASE)
      throw new Finding(`${sent.length} bytes sent for ${this.#size}`);
    // Again, now that everything has passed through: nobody wrote to what was handed out.
    for (const view of this.#views) this.#digest.bytes(view);
    const signature = signatureOf(this.#kinds, this.#count, error);
    return { digest: this.#digest.value, signature, error, sent, isOpen };
  }
}

function checkOver(peer: Connection): void {
  if (peer.stage !== "closed") throw new Finding(`still in ${peer.stage}`);
  if (peer.wakeAt !== Number.POSITIVE_INFINITY) throw new Finding("a deadline after the end");
  peer.push(Uint8Array.of(0, 0));
  peer.send([EMPTY]);
  peer.tick(1e12);
  if (peer.next() !== null || peer.outputLength !== 0) throw new Finding("something after the end");
}

export const TARGETS = {
  decoder: decoder as Target,
  resp: resp as Target,
  greeting: greeting as Target,
  metadata: metadata as Target,
  command: command as Target,
  session: connection("greeting") as Target,
  handshake: connection("handshake") as Target,
  traffic: connection("traffic") as Target,
};

export type TargetName = keyof typeof TARGETS;
