import { ProtocolError, RefusedError, ZmqError } from "../errors.ts";
import { MessageAssembler } from "./assembler.ts";
import {
  commandBody,
  errorBody,
  MAX_CONTEXT,
  parseCommand,
  parseErrorReason,
  parsePing,
  pingBody,
} from "./command.ts";
import { Deadline } from "./deadline.ts";
import type { Event } from "./event.ts";
import { COMMAND, type Frame, FrameDecoder } from "./frame.ts";
import { encodeGreeting, type Greeting, GreetingReader, isVersion31 } from "./greeting.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Held, holdMessage } from "./held.ts";
import type { Handshake } from "./mechanism.ts";
import { checkParts, OutgoingMessage } from "./message.ts";
import {
  type ConnectionOptions,
  MAX_HANDSHAKE_SIZE,
  type ResolvedOptions,
  resolveOptions,
} from "./options.ts";
import { OutputQueue } from "./output.ts";
import { type PeerInfo, readPeerInfo } from "./peer-info.ts";
import { quoted } from "./printable.ts";
import { receivesSubscriptions, sendsSubscriptions } from "./socket-type.ts";
import { type Stage, step } from "./stage.ts";
import { subscriptionCommand, subscriptionMessage } from "./subscription.ts";

/** PONGs that wait in the output at most: a peer that does not read what it asks for gets no more of them. */
const MAX_WAITING_PONGS = 1024;

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
  readonly #greeting = new GreetingReader();
  readonly #handshakeEnd = new Deadline();
  readonly #heartbeat: Heartbeat;
  readonly #messages: MessageAssembler;
  /** Ours to the mechanism, so that the public face of a connection stays small. */
  readonly #handshake: Handshake;
  #stage: Stage = "greeting";
  #version: [number, number] = [0, 0];
  #peer: PeerInfo | null = null;
  #canPing = false;
  /** The latest time that we were told of. */
  #now: number;
  #held: Held[] = [];
  /** In the output since it was last taken. */
  #waitingPongs = 0;
  #isPingWaiting = false;

  /** @throws {ZmqError} EINVAL for an option out of range. @throws {TypeError} for one of the wrong kind. */
  constructor(options: ConnectionOptions) {
    const resolved = resolveOptions(options);
    this.#options = resolved;
    this.#now = options.now;
    this.#decoder = new FrameDecoder({ maxFrameSize: MAX_HANDSHAKE_SIZE }, resolved.allocate);
    this.#output = new OutputQueue(resolved.allocate);
    this.#heartbeat = new Heartbeat({
      interval: resolved.heartbeatInterval,
      timeout: resolved.heartbeatTimeout,
    });
    const findsSubscriptions = receivesSubscriptions(resolved.socketType);
    this.#messages = new MessageAssembler({ findsSubscriptions });
    this.#handshake = {
      metadata: resolved.metadata,
      send: (body) => this.#output.frame(COMMAND, body),
      ready: (metadata) => this.#acceptPeer(metadata),
    };
    if (resolved.handshakeInterval > 0) this.#handshakeEnd.arm(options.now + resolved.handshakeInterval);
    this.#output.append([encodeGreeting(resolved.mechanism.name, resolved.mechanism.asServer)]);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** `null` until the handshake is complete. */
  get peer(): PeerInfo | null {
    return this.#peer;
  }

  /** The peer knows PING: it announced ZMTP 3.1 or has sent one itself. False before its greeting. */
  get canPing(): boolean {
    return this.#canPing;
  }

  /** Bytes that wait in `output()`. */
  get outputLength(): number {
    return this.#output.length;
  }

  /** When to call `tick`, in ms; Infinity when nothing is due. Ask again after every other call. */
  get wakeAt(): number {
    return Math.min(this.#handshakeEnd.wakeAt, this.#heartbeat.wakeAt);
  }

  /** Received bytes. The chunk belongs to the connection from here on: parts of messages are views into it. */
  push(chunk: Uint8Array): void {
    if (this.#stage !== "closed") this.#decoder.push(chunk);
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
    const waiting = this.#messages.next();
    if (waiting !== null) return waiting;
    try {
      if (this.#stage === "traffic") return this.#nextInTraffic();
      return this.#nextInHandshake();
    } catch (error) {
      if (this.#stage === "traffic") this.#output.clear();
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
    const isCut = isInFrames && (this.#decoder.isPartial || this.#messages.isPartial);
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
    if (this.#stage === "traffic") this.#options.mechanism.encode(message, this.#output);
    else this.#hold(holdMessage(message));
  }

  /**
   * Asks a PUB or XPUB for the messages whose first part begins with `topic`; before its READY has come this is held.
   * @throws {ZmqError} EINVAL when we are no SUB or XSUB. @throws {TypeError} when the topic is no Uint8Array.
   */
  subscribe(topic: Uint8Array): void {
    this.#subscription(true, topic);
  }

  /** Takes a subscription back; otherwise as `subscribe`. */
  cancel(topic: Uint8Array): void {
    this.#subscription(false, topic);
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
    if (this.#stage === "traffic") this.#command(pingBody(this.#options.heartbeatTimeToLive, context));
    else this.#hold({ type: "ping", context: new Uint8Array(context) });
  }

  /** Everything that waits for the peer, in order. The chunks are the caller's to write; do not change them. */
  output(): Uint8Array[] {
    this.#waitingPongs = 0;
    this.#isPingWaiting = false;
    return this.#output.take();
  }

  /** Bytes came in just now: any of them is a sign of life, also half a frame. Call it before `push`. */
  received(now: number): void {
    this.#tell(now);
    this.#heartbeat.received();
  }

  /** We stop reading: silence proves nothing from here on. PINGs are still sent. */
  suspend(): void {
    this.#heartbeat.suspend();
  }

  /** We read again: the deadlines start anew. */
  resume(now: number): void {
    this.#tell(now);
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
    this.#tell(now);
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
    // One that has not left yet does for both.
    if (due === "ping" && !this.#isPingWaiting) {
      this.#command(pingBody(this.#options.heartbeatTimeToLive, new Uint8Array(0)));
      this.#isPingWaiting = true;
    }
  }

  /** Drops everything, what waits in `output()` included. */
  close(): void {
    this.#output.clear();
    this.#end();
  }

  #end(): void {
    this.#stage = step(this.#stage, "end");
    this.#decoder.bytes.clear();
    this.#held = [];
    this.#messages.clear();
    this.#handshakeEnd.disarm();
    this.#heartbeat.stop();
  }

  #tell(now: number): void {
    if (now > this.#now) this.#now = now;
  }

  // Greeting and handshake

  #nextInHandshake(): Event | null {
    if (this.#stage === "greeting" && !this.#readGreeting()) return null;
    while (this.#stage === "handshake") {
      const frame = this.#decoder.next();
      if (frame === null) return null;
      const event = this.#receiveHandshake(frame);
      if (event !== null) return event;
    }
    return null;
  }

  /** @returns whether the greeting is complete. */
  #readGreeting(): boolean {
    while (this.#decoder.bytes.length > 0) {
      const greeting = this.#greeting.read(this.#decoder.bytes.takeByte());
      if (greeting === null) continue;
      this.#acceptGreeting(greeting);
      return true;
    }
    return false;
  }

  #acceptGreeting(greeting: Greeting): void {
    const mechanism = this.#options.mechanism;
    if (greeting.mechanism !== mechanism.name) {
      const message = `the peer uses ${quoted(greeting.mechanism)}, we use ${mechanism.name}`;
      throw new ProtocolError(
        "ERR_ZMTP_MECHANISM_MISMATCH",
        "RFC 37, Authentication and Confidentiality",
        message,
      );
    }
    this.#version = greeting.version;
    this.#canPing = isVersion31(greeting.version);
    this.#stage = step(this.#stage, "greeting");
    mechanism.start(this.#handshake);
  }

  #receiveHandshake(frame: Frame): Event | null {
    const command = (frame.flags & COMMAND) !== 0 ? parseCommand(frame.body) : null;
    step(this.#stage, command === null ? "message" : "command");
    if (command === null) return null;
    if (command.name === "ERROR") return this.#refused(command.data);
    this.#options.mechanism.receive(command, this.#handshake);
    if (this.#peer === null) return null;
    this.#enterTraffic();
    return { type: "ready", peer: this.#peer };
  }

  /** RFC 37, "Error Handling". */
  #refused(data: Uint8Array): Event {
    const error = new RefusedError(parseErrorReason(data));
    step(this.#stage, "ERROR");
    this.close();
    return { type: "refused", error };
  }

  /** A peer that we cannot talk to is told so, for that is what ERROR is for. */
  #acceptPeer(metadata: Uint8Array): void {
    const { socketType, allocate } = this.#options;
    try {
      this.#peer = readPeerInfo(metadata, socketType, this.#version, allocate);
    } catch (error) {
      if (error instanceof ProtocolError) this.#output.frame(COMMAND, errorBody(refusalReason(error)));
      throw error;
    }
  }

  #enterTraffic(): void {
    const { maxMessageSize, maxMessageBytes, heartbeatPeers } = this.#options;
    this.#stage = step(this.#stage, "ready");
    this.#decoder.limit({ maxFrameSize: maxMessageSize, maxMessageBytes });
    this.#handshakeEnd.disarm();
    if (heartbeatPeers === "all" || this.#canPing) this.#heartbeat.start(this.#now);
    const held = this.#held;
    this.#held = [];
    for (const item of held) {
      if (item.type === "message") this.send(item.message);
      else if (item.type === "ping") this.ping(item.context);
      else this.#subscription(item.subscribe, item.topic);
    }
  }

  #hold(item: Held): void {
    if (this.#stage !== "closed") this.#held.push(item);
  }

  // Traffic

  #nextInTraffic(): Event | null {
    const { mechanism } = this.#options;
    for (;;) {
      const received = this.#decoder.next();
      if (received === null) return null;
      const frame = mechanism.decode(received);
      const event =
        (frame.flags & COMMAND) !== 0 ? this.#receiveCommand(frame.body) : this.#messages.receive(frame);
      if (event !== null) return event;
    }
  }

  /** Unknown commands are ignored, a late READY or ERROR and one without a name among them. */
  #receiveCommand(body: Uint8Array): Event | null {
    const { name, data } = parseCommand(body);
    switch (name) {
      case "PING":
        this.#answerPing(data);
        return null;
      case "PONG":
        return { type: "pong", context: data };
      case "SUBSCRIBE":
      case "CANCEL":
        if (!receivesSubscriptions(this.#options.socketType)) return null;
        return { type: "subscription", subscribe: name === "SUBSCRIBE", topic: data };
      default:
        return null;
    }
  }

  #answerPing(data: Uint8Array): void {
    const { timeToLive, context } = parsePing(data);
    this.#canPing = true;
    this.#heartbeat.start(this.#now);
    this.#heartbeat.pinged(timeToLive, this.#now);
    if (this.#waitingPongs === MAX_WAITING_PONGS) return;
    this.#waitingPongs += 1;
    this.#command(commandBody("PONG", context));
  }

  #command(body: Uint8Array): void {
    this.#options.mechanism.encodeCommand(body, this.#output);
  }

  #subscription(subscribe: boolean, topic: Uint8Array): void {
    if (!(topic instanceof Uint8Array)) throw new TypeError("A topic must be a Uint8Array");
    if (!sendsSubscriptions(this.#options.socketType)) {
      throw new ZmqError("EINVAL", `${this.#options.socketType} has no subscriptions`);
    }
    if (this.#stage !== "traffic") {
      this.#hold({ type: "subscription", subscribe, topic: new Uint8Array(topic) });
    } else if (isVersion31(this.#version)) {
      this.#command(subscriptionCommand(subscribe, topic));
    } else {
      this.#options.mechanism.encode([subscriptionMessage(subscribe, topic)], this.#output);
    }
  }
}

/** Says what is wrong in words of our own: nothing of what the peer sent goes back. */
function refusalReason(error: ProtocolError): string {
  return error.code === "ERR_ZMTP_SOCKET_TYPE" ? "Socket-Type not acceptable" : "Invalid metadata";
}
