import { ProtocolError, ZmqError } from "../errors.ts";
import { MAX_CONTEXT, parseCommand } from "./command.ts";
import { Deadline } from "./deadline.ts";
import type { Event } from "./event.ts";
import { COMMAND, type Frame, FrameDecoder } from "./frame.ts";
import { isVersion31 } from "./greeting.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Held } from "./held.ts";
import { checkParts, OutgoingMessage } from "./message.ts";
import { Opening } from "./opening.ts";
import {
  type ConnectionOptions,
  MAX_HANDSHAKE_SIZE,
  type ResolvedOptions,
  resolveOptions,
} from "./options.ts";
import { OutputQueue } from "./output.ts";
import type { PeerInfo } from "./peer-info.ts";
import { sendsSubscriptions } from "./socket-type.ts";
import { type Stage, step } from "./stage.ts";
import type { SubscriptionForm } from "./subscription.ts";
import { Traffic } from "./traffic.ts";

/**
 * One end of a ZMTP 3 connection (RFC 37): bytes in by `push`, events out by `next`, bytes out by `output`. No I/O and no
 * clock: times are milliseconds in whatever clock the caller has, and `wakeAt` says when to call `tick`.
 *
 * Used for one connection and then thrown away. Our greeting waits in `output()` from the start.
 *
 * Once closed, by `close()`, an error, a refusal or the peer's end, calls do nothing.
 */
export class Connection {
  readonly #options: ResolvedOptions;
  readonly #decoder: FrameDecoder;
  readonly #output: OutputQueue;
  readonly #handshakeEnd = new Deadline();
  readonly #heartbeat: Heartbeat;
  readonly #opening: Opening;
  /** From the handshake's completion until the end. */
  #traffic: Traffic | null = null;
  #stage: Stage = "greeting";
  /** What is to be sent before the traffic. */
  readonly #held = new Held();

  /** @throws {ZmqError} EINVAL for an option out of range. @throws {TypeError} for one of the wrong kind. */
  constructor(options: ConnectionOptions) {
    const resolved = resolveOptions(options);
    const { allocate, view, handshakeInterval, heartbeatInterval, heartbeatTimeout } = resolved;
    this.#options = resolved;
    this.#decoder = new FrameDecoder({ maxFrameSize: MAX_HANDSHAKE_SIZE }, allocate, view);
    this.#output = new OutputQueue(allocate);
    this.#heartbeat = new Heartbeat({ interval: heartbeatInterval, timeout: heartbeatTimeout }, options.now);
    this.#opening = new Opening(resolved, this.#output);
    if (handshakeInterval > 0) this.#handshakeEnd.arm(options.now + handshakeInterval);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** `null` until the handshake is complete. */
  get peer(): PeerInfo | null {
    return this.#opening.peer;
  }

  /** The peer knows PING: it announced ZMTP 3.1 or has sent one itself. False before its greeting. */
  get canPing(): boolean {
    const { version } = this.#opening;
    return version !== null && (isVersion31(version) || this.#heartbeat.wasPinged);
  }

  /** Bytes that wait in `output()`. */
  get outputLength(): number {
    return this.#output.length;
  }

  /** When to call `tick`, in ms; Infinity when nothing is due. Ask again after every other call. */
  get wakeAt(): number {
    return Math.min(this.#handshakeEnd.wakeAt, this.#heartbeat.wakeAt);
  }

  /**
   * Received bytes. The chunk belongs to the connection from here on: parts of messages are views into it.
   * @param isLent default false; true: it does so only until `keep` is called, and no part is a view into it. What is copied
   *   of it is what is handed out, or waits; of a large body each byte goes from the chunk to where it stays.
   */
  push(chunk: Uint8Array, isLent = false): void {
    if (this.#stage !== "closed") this.#decoder.push(chunk, isLent);
  }

  /**
   * Where the next received bytes are best written to, if so: what is missing of a large body, of at least `least` bytes.
   * It is good until the next `push`, and after `close` nobody reads it.
   */
  space(least: number): Uint8Array | null {
    return this.#decoder.bytes.space(least);
  }

  /** So many bytes were received and written to the start of `space`; does what `push` does. */
  filled(size: number): void {
    if (this.#stage !== "closed") this.#decoder.bytes.filled(size);
  }

  /** To be called after the push of a lent chunk, and before its memory is written to: what is left of it is copied. */
  keep(): void {
    this.#decoder.bytes.keep();
  }

  /**
   * The next thing that the peer did, or `null` until more bytes come.
   *
   * A PING is answered when the caller asks for the event after those before it: what they asked for is done then.
   *
   * @throws {ProtocolError} when the peer broke the protocol; nothing else. The connection is closed then, and `output()`
   *   may still hold an ERROR for the peer.
   */
  next(): Event | null {
    const traffic = this.#traffic;
    try {
      return traffic === null ? this.#nextInOpening() : traffic.next();
    } catch (error) {
      if (traffic !== null) this.#output.clear();
      this.#end();
      throw error;
    }
  }

  /**
   * The peer closed its side; call it when `next` has returned `null`.
   * @returns `ERR_ZMTP_TRUNCATED` when that cut a frame or a multipart message, of which nothing is delivered.
   */
  end(): ProtocolError | null {
    const isInFrames = this.#stage === "handshake" || this.#stage === "traffic";
    const isCut = isInFrames && (this.#decoder.isPartial || this.#traffic?.isPartial === true);
    this.close();
    if (!isCut) return null;
    return new ProtocolError(
      "ERR_ZMTP_TRUNCATED",
      "RFC 37, Messages",
      "the peer closed in the middle of a message",
    );
  }

  /**
   * Sends a message; before the peer's READY has come it is held.
   *
   * @param message its parts, one per frame, at least one, each may be empty; or an OutgoingMessage, whose encoding
   *   is used when it has one. A part of up to COPY_LIMIT bytes is copied at the call, a larger one must not change until written.
   * @throws {ZmqError} EINVAL when there are no parts. @throws {TypeError} when a part is no Uint8Array.
   */
  send(message: OutgoingMessage | readonly Uint8Array[]): void {
    if (!(message instanceof OutgoingMessage)) checkParts(message);
    this.#outlet.send(message);
  }

  /**
   * Asks a PUB or XPUB for the messages whose first part begins with `topic`; before its READY has come this is held.
   * @param form a command to a peer that knows it, else a message (`negotiated`, the default); or always a `message`.
   * @throws {ZmqError} EINVAL when we are no SUB or XSUB, and for another form. @throws {TypeError} when the topic is no Uint8Array.
   */
  subscribe(topic: Uint8Array, form: SubscriptionForm = "negotiated"): void {
    this.#subscription(true, topic, form);
  }

  /** Takes a subscription back; otherwise as `subscribe`. */
  cancel(topic: Uint8Array, form: SubscriptionForm = "negotiated"): void {
    this.#subscription(false, topic, form);
  }

  /**
   * Sends a PING, which the peer answers by a `pong` event; held until the peer's READY has come.
   * @param context up to 16 bytes that come back with the answer. Default: empty.
   * @throws {ZmqError} EINVAL when it is longer. @throws {TypeError} when it is no Uint8Array.
   */
  ping(context: Uint8Array = new Uint8Array(0)): void {
    if (!(context instanceof Uint8Array)) throw new TypeError("The context of a PING must be a Uint8Array");
    if (context.length > MAX_CONTEXT)
      throw new ZmqError("EINVAL", "The context of a PING is at most 16 bytes");
    this.#outlet.ping(context);
  }

  /** Everything that waits for the peer, in order. The chunks are the caller's to write; do not change them. */
  output(): Uint8Array[] {
    this.#traffic?.outputTaken();
    return this.#output.take();
  }

  /** Bytes came in just now: any of them is a sign of life, also half a frame. Call it before `push`. */
  received(now: number): void {
    this.#heartbeat.received(now);
  }

  /** We stop reading: silence proves nothing from here on. PINGs are still sent. */
  suspend(): void {
    this.#heartbeat.suspend();
  }

  /** We read again: the deadlines start anew. */
  resume(now: number): void {
    this.#heartbeat.resume(now);
  }

  /**
   * Does what is due; calling too early is harmless. A deadline is judged at the second tick after it passed, some ms after
   * the first, for which `wakeAt` asks: read in between, so that a process that was blocked hears what came meanwhile.
   *
   * @throws {ProtocolError} `ERR_ZMTP_HANDSHAKE_TIMEOUT`, `ERR_ZMTP_HEARTBEAT_TIMEOUT`: the peer was silent for too long,
   *   and the connection is closed, without ERROR.
   */
  tick(now: number): void {
    if (this.#stage === "closed") return;
    if (this.#handshakeEnd.tick(now)) {
      this.close();
      const message = `the handshake was not complete after ${this.#options.handshakeInterval} ms`;
      throw new ProtocolError("ERR_ZMTP_HANDSHAKE_TIMEOUT", "handshakeInterval", message);
    }
    const due = this.#heartbeat.tick(now);
    if (due === "dead") {
      this.close();
      const rule = "RFC 37, Connection Heartbeating";
      throw new ProtocolError("ERR_ZMTP_HEARTBEAT_TIMEOUT", rule, "nothing came from the peer in time");
    }
    if (due === "ping") this.#traffic?.beat();
  }

  /** Drops everything, what waits in `output()` included. */
  close(): void {
    this.#output.clear();
    this.#end();
  }

  get #outlet(): Held | Traffic {
    return this.#traffic ?? this.#held;
  }

  #end(): void {
    this.#stage = step(this.#stage, "end");
    this.#decoder.bytes.clear();
    this.#held.close();
    this.#traffic = null;
    this.#handshakeEnd.disarm();
    this.#heartbeat.stop();
  }

  #nextInOpening(): Event | null {
    if (this.#stage === "greeting") {
      if (!this.#opening.readGreeting(this.#decoder.bytes)) return null;
      this.#stage = step(this.#stage, "greeting");
      this.#opening.start();
    }
    while (this.#stage === "handshake") {
      const frame = this.#decoder.next();
      if (frame === null) return null;
      const event = this.#receiveHandshake(frame);
      if (event !== null) return event;
    }
    return null;
  }

  #receiveHandshake(frame: Frame): Event | null {
    step(this.#stage, (frame.flags & COMMAND) !== 0 ? "command" : "message");
    const event = this.#opening.receive(parseCommand(frame.body));
    if (event?.type === "ready") this.#enterTraffic(event.peer);
    else if (event?.type === "refused") {
      this.#stage = step(this.#stage, "ERROR");
      this.close();
    }
    return event;
  }

  #enterTraffic(peer: PeerInfo): void {
    this.#stage = step(this.#stage, "ready");
    const wire = { decoder: this.#decoder, output: this.#output, heartbeat: this.#heartbeat };
    const traffic = new Traffic(this.#options, wire, peer.version);
    this.#traffic = traffic;
    this.#handshakeEnd.disarm();
    if (this.#options.heartbeatPeers === "all" || this.canPing) this.#heartbeat.start();
    this.#held.release(traffic);
  }

  #subscription(subscribe: boolean, topic: Uint8Array, form: SubscriptionForm): void {
    if (!(topic instanceof Uint8Array)) throw new TypeError("A topic must be a Uint8Array");
    if (!sendsSubscriptions(this.#options.socketType)) {
      throw new ZmqError("EINVAL", `${this.#options.socketType} has no subscriptions`);
    }
    if (form !== "negotiated" && form !== "message")
      throw new ZmqError("EINVAL", `No form of a subscription: ${String(form)}`);
    this.#outlet.subscription(subscribe, topic, form);
  }
}
