import { Connection, type ConnectionOptions, type Event } from "../../src/zmtp/index.ts";
import { concat, type Version } from "../generators/index.ts";

const GREETING_SIZE = 64;

/** One end: its connection, what it was told, and what is on the way from it to the other. */
export class End {
  readonly options: Omit<ConnectionOptions, "now">;
  readonly connection: Connection;
  /** Events of each thing that was sent, in order: a message or a subscription. */
  readonly given: string[][] = [];
  readonly pings: string[] = [];
  /** Messages and subscriptions that came out here. */
  readonly seen: string[] = [];
  readonly pongs: string[] = [];
  peer: Extract<Event, { type: "ready" }>["peer"] | null = null;
  /** The code of what was thrown. */
  error: string | null = null;
  /** What `end` returned: a code or `null`; undefined while it was not called. */
  endedWith: string | null | undefined = undefined;
  isSuspended = false;
  /** Closed by its own side. */
  isClosed = false;
  lastSign = 0;
  /** Everything that left before our own `ready`. */
  opening: Uint8Array = new Uint8Array(0);
  underway: Uint8Array = new Uint8Array(0);
  /** What arrived at the other end. */
  arrived: Uint8Array[] = [];
  written = 0;
  readonly announced: Version;
  /** Parts and topics as they came, and what they were then. */
  readonly views: [Uint8Array, string][] = [];

  constructor(options: Omit<ConnectionOptions, "now">, announced: Version) {
    this.options = options;
    this.connection = new Connection({ ...options, now: 0 });
    this.announced = announced;
  }

  get isOver(): boolean {
    return this.connection.stage === "closed";
  }

  take(events: readonly Event[]): void {
    for (const event of events) {
      if (event.type === "ready") this.peer = event.peer;
      else if (event.type === "pong") this.pongs.push(latin1(event.context));
      else this.seen.push(describeEvent(event));
      if (event.type === "message") for (const part of event.parts) this.views.push([part, latin1(part)]);
      if (event.type === "subscription") this.views.push([event.topic, latin1(event.topic)]);
    }
  }
}

/** NU-4: before the peer's READY has come, nothing leaves but the greeting, our READY, and an ERROR at the end. */
export function checkOpening(end: End): void {
  const names = readFrames(end.opening.subarray(GREETING_SIZE)).frames.map(({ flags, body }) =>
    (flags & 4) !== 0 ? latin1(body.subarray(1, 1 + (body[0] as number))) : "message",
  );
  const allowed = end.error === null ? ["READY"] : ["READY", "ERROR"];
  const isAllowed = names.every((name, i) => name === allowed[i] || (name === "ERROR" && end.error !== null));
  if (!isAllowed) throw new Error(`left before the peer's READY: ${names.join(" ")}`);
}

/** After the end calls do nothing, nothing is due, and nothing leaves but the ERROR that a failed handshake ends with. */
export function checkDead(end: End, isDue: boolean): void {
  const { connection } = end;
  if (isDue) throw new Error("something is due after the end");
  if (end.error === "ERR_ZMTP_SOCKET_TYPE" && connection.outputLength > 0) return;
  connection.send([Uint8Array.of(1)]);
  connection.ping();
  connection.push(Uint8Array.of(0, 0));
  connection.tick(Number.MAX_SAFE_INTEGER);
  if (connection.next() !== null) throw new Error("an event after the end");
  if (connection.outputLength !== 0 || connection.output().length !== 0)
    throw new Error("output after the end");
}

export interface ReadFrame {
  flags: number;
  body: Uint8Array;
}

/** Frames read in the plainest way, and whether the bytes end in the middle of one. */
export function readFrames(bytes: Uint8Array): { frames: ReadFrame[]; isCut: boolean } {
  const frames: ReadFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const flags = bytes[at] as number;
    const header = (flags & 2) !== 0 ? 9 : 2;
    if (at + header > bytes.length) return { frames, isCut: true };
    let size = 0;
    for (const byte of bytes.subarray(at + 1, at + header)) size = size * 256 + byte;
    if (at + header + size > bytes.length) return { frames, isCut: true };
    frames.push({ flags, body: bytes.subarray(at + header, at + header + size) });
    at += header + size;
  }
  return { frames, isCut: false };
}

/**
 * What the bytes of one end bring the other: how many whole messages and subscriptions, and whether they end in the middle of
 * one (then that one is not delivered: RFC 37, "Messages").
 */
export function deliveredBy(end: End): { whole: number; isCut: boolean } {
  const bytes = concat(end.arrived);
  const { frames, isCut } = readFrames(bytes.subarray(GREETING_SIZE));
  let whole = 0;
  let isPartial = false;
  for (const { flags, body } of frames) {
    const isCommand = (flags & 4) !== 0;
    const isSubscription =
      isCommand && ["\tSUBSCRIBE", "\x06CANCEL"].some((name) => latin1(body).startsWith(name));
    if (isSubscription || (!isCommand && (flags & 1) === 0)) whole += 1;
    if (!isCommand) isPartial = (flags & 1) !== 0;
  }
  return { whole, isCut: isCut || isPartial };
}

/** How many bytes, at most `keep`, of those underway end with a frame. */
export function alignedSize(end: End, keep: number): number {
  const arrived = concat(end.arrived);
  const { frames } = readFrames(concat([arrived, end.underway.subarray(0, keep)]).subarray(GREETING_SIZE));
  const sizes = frames.map(({ flags, body }) => ((flags & 2) !== 0 ? 9 : 2) + body.length);
  const border = sizes.reduce((sum, size) => sum + size, GREETING_SIZE);
  return Math.max(0, border - arrived.length);
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

export function describeEvent(event: Event): string {
  if (event.type === "message") return `message ${event.parts.map((part) => latin1(part)).join("|")}`;
  if (event.type === "subscription") return `${event.subscribe ? "+" : "-"}${latin1(event.topic)}`;
  if (event.type === "pong") return `pong ${latin1(event.context)}`;
  return event.type;
}
