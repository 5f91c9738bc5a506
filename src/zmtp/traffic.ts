import { MessageAssembler } from "./assembler.ts";
import { commandBody, parseCommand, parsePing, pingBody } from "./command.ts";
import type { Event } from "./event.ts";
import { COMMAND, type FrameDecoder, type FrameLimits } from "./frame.ts";
import { isVersion31 } from "./greeting.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Mechanism } from "./mechanism.ts";
import type { OutgoingMessage } from "./message.ts";
import { NullMechanism } from "./null-mechanism.ts";
import type { ResolvedOptions } from "./options.ts";
import type { OutputQueue } from "./output.ts";
import { receivesSubscriptions } from "./socket-type.ts";
import { type SubscriptionForm, subscriptionCommand, subscriptionMessage } from "./subscription.ts";

/** PONGs that wait in the output at most: a peer that does not read what it asks for gets no more of them. */
const MAX_WAITING_PONGS = 1024;

/** The length of `SUBSCRIBE`, and its size: what such a command has besides its topic. */
const SUBSCRIBE_OVERHEAD = 10;

/** What the connection has from before the traffic. */
export interface Wire {
  readonly decoder: FrameDecoder;
  readonly output: OutputQueue;
  readonly heartbeat: Heartbeat;
}

/** What follows the handshake: messages and commands, both ways through the mechanism (RFC 37, "Formal Grammar"). */
export class Traffic {
  readonly #mechanism: Mechanism;
  readonly #decoder: FrameDecoder;
  readonly #output: OutputQueue;
  readonly #heartbeat: Heartbeat;
  readonly #messages: MessageAssembler;
  readonly #findsSubscriptions: boolean;
  readonly #sendsCommands: boolean;
  readonly #timeToLive: number;
  /** In the output since it was last taken. */
  #waitingPongs = 0;
  #isPingWaiting = false;

  /** @param version what the peer announced. */
  constructor(options: ResolvedOptions, wire: Wire, version: readonly [number, number]) {
    const findsSubscriptions = receivesSubscriptions(options.socketType);
    this.#mechanism = options.mechanism;
    this.#decoder = wire.decoder;
    this.#output = wire.output;
    this.#heartbeat = wire.heartbeat;
    this.#messages = new MessageAssembler({
      findsSubscriptions,
      onlyFirstSubscribe: options.onlyFirstSubscribe,
      maxParts: options.maxMessageParts,
    });
    this.#findsSubscriptions = findsSubscriptions;
    this.#sendsCommands = isVersion31(version);
    this.#timeToLive = options.heartbeatTimeToLive;
    const { maxMessageSize, maxMessageBytes } = options;
    wire.decoder.limit({ maxFrameSize: maxMessageSize, maxMessageBytes, ...topicLimits(options) });
  }

  /** A message has begun and is not complete. */
  get isPartial(): boolean {
    return this.#messages.isPartial;
  }

  /** @throws {ProtocolError} */
  next(): Event | null {
    const waiting = this.#messages.next();
    if (waiting !== null) return waiting;
    for (;;) {
      const received = this.#decoder.next();
      if (received === null) return null;
      const frame = this.#mechanism.decode(received);
      const event =
        (frame.flags & COMMAND) !== 0 ? this.#receiveCommand(frame.body) : this.#messages.receive(frame);
      if (event !== null) return event;
    }
  }

  send(message: OutgoingMessage | readonly Uint8Array[]): void {
    this.#mechanism.encode(message, this.#output);
  }

  subscription(subscribe: boolean, topic: Uint8Array, form: SubscriptionForm): void {
    if (form === "negotiated" && this.#sendsCommands) this.#command(subscriptionCommand(subscribe, topic));
    else this.send([subscriptionMessage(subscribe, topic)]);
  }

  ping(context: Uint8Array): void {
    this.#command(pingBody(this.#timeToLive, context));
  }

  /** A PING of the heartbeat; one that has not left yet does for both. */
  beat(): void {
    if (this.#isPingWaiting) return;
    this.#isPingWaiting = true;
    this.ping(new Uint8Array(0));
  }

  /** All that waited in the output has left. */
  outputTaken(): void {
    this.#waitingPongs = 0;
    this.#isPingWaiting = false;
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
        if (!this.#findsSubscriptions) return null;
        return { type: "subscription", subscribe: name === "SUBSCRIBE", topic: data };
      default:
        return null;
    }
  }

  #answerPing(data: Uint8Array): void {
    const { timeToLive, context } = parsePing(data);
    this.#heartbeat.pinged(timeToLive);
    if (this.#waitingPongs === MAX_WAITING_PONGS) return;
    this.#waitingPongs += 1;
    this.#command(commandBody("PONG", context));
  }

  #command(body: Uint8Array): void {
    this.#mechanism.encodeCommand(body, this.#output);
  }
}

/** What shows from a frame's header. A message to an XPUB may be long: only its parts tell whether they are subscriptions. */
function topicLimits({ socketType, mechanism, maxTopicSize }: ResolvedOptions): FrameLimits {
  // Another mechanism wraps what it sends in frames of its own.
  if (
    maxTopicSize === undefined ||
    !receivesSubscriptions(socketType) ||
    !(mechanism instanceof NullMechanism)
  )
    return {};
  return {
    maxCommandSize: () => maxTopicSize() + SUBSCRIBE_OVERHEAD,
    maxSubscriptionSize: socketType === "PUB" ? () => maxTopicSize() + 1 : undefined,
  };
}
