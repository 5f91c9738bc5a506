import type { ProtocolError } from "../../errors.ts";
import type { OutgoingMessage, SubscriptionForm } from "../../zmtp/index.ts";

/** Topics for a peer, one after the other; null when there are no more. */
export interface TopicSource {
  next(): Uint8Array | null;
}

/** What a pattern sees of a peer, whatever carries the bytes. Lasts as long as the wish to talk to that peer. */
export interface Pipe {
  /** The endpoint that was bound or dialled. */
  readonly address: string;
  /** Whether a peer is connected and the handshake complete. */
  readonly isReady: boolean;
  /** The peer will not come back, and this pipe's endpoint has let go of it. */
  readonly isGone: boolean;
  /** How many messages wait for `take`. */
  readonly kept: number;
  /** Whether `offer` would take a message now. When not, `writable` follows as after an offer that was refused. */
  hasRoom(): boolean;
  /** Sends or queues a message. @returns false, and nothing is taken, when the high-water mark is reached. */
  offer(message: OutgoingMessage): boolean;
  /** Sends the first message of a connection that has just become ready, before all that waits. */
  greet(message: OutgoingMessage): void;
  /** Queues a received message until `take`; holds up the peer when the high-water mark is reached. */
  keep(parts: Uint8Array[]): void;
  /** The oldest message kept; undefined when there is none. */
  take(): Uint8Array[] | undefined;
  /** Counts a message that was handed on without being kept. */
  countReceived(): void;
  /** Counts a message that was meant for this peer and not taken. */
  drop(): void;
  /**
   * Tells the connected peer of a subscription that it has not been told of, outside the high-water mark: when it takes nothing,
   * later. Nothing when none is connected. Messages wait meanwhile.
   */
  subscribe(topic: Uint8Array, form?: SubscriptionForm): void;
  /**
   * Tells the peer of these topics, as it takes them, beside what it is told by the others, and before any message. To be called
   * when it has just become ready.
   */
  replay(topics: TopicSource): void;
  /** Tells it of the end of one that it has been told of. */
  cancel(topic: Uint8Array, form?: SubscriptionForm): void;
  /** Tells it once more, as a message, what should change nothing. A CANCEL is left out when it takes nothing. */
  repeat(subscribe: boolean, topic: Uint8Array): void;
  /** Resolves when the peer has done what we sent it so far. @see Subscriber.confirmed */
  confirm(): Promise<"answered" | "assumed">;
  /** Takes in nothing more during this turn of the event loop. */
  rest(): void;
  /** As `drop`, but ends the connection, so that the peer knows. */
  overflow(): void;
  /** Ends the connection at once for what the peer has done; its `disconnect` event tells. */
  fail(error: ProtocolError): void;
}

/** How a socket type deals with its peers. Every method is called by the pipe, never from within `offer`. */
export interface Pattern {
  /** A peer to talk to: at once for an endpoint that is dialled, after the handshake for one that was accepted. */
  attach(pipe: Pipe): void;
  /** It will not come back. What it has kept can still be taken. */
  detach(pipe: Pipe): void;
  /** Connected, for the first time or again. */
  ready(pipe: Pipe): void;
  /** The connection is gone; a dialled one may come back. */
  lost(pipe: Pipe): void;
  /** `offer` may succeed again. */
  writable(pipe: Pipe): void;
  message(pipe: Pipe, parts: Uint8Array[]): void;
  subscription(pipe: Pipe, subscribe: boolean, topic: Uint8Array): void;
  /** Whether a message could be received now: POLLIN. */
  isReadable(): boolean;
  /** Whether a message could be sent now: POLLOUT. */
  isWritable(): boolean;
  /** How many messages of peers that are gone wait for the application. */
  orphaned(): number;
  /** The socket was closed: settle whatever waits. */
  close(): void;
  /** An option was set that takes effect at once. What depends on options for each message may be prepared here. */
  optionsChanged(): void;
}
