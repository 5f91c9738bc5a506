import type { Stream, StreamHandler, Transport } from "../../src/transports/transport.ts";
import { Tape } from "./tape.ts";

/** Who is told of a socket's connections. */
export interface LinkOwner {
  /** Subscriptions go from receivers to senders, as commands or as messages. */
  readonly side: "sender" | "receiver";
  opened(link: Link): void;
  wrote(link: Link, parts: Buffer[]): void;
  heard(link: Link, parts: Buffer[]): void;
  saidSubscription(link: Link, subscribe: boolean, topic: string): void;
  /** Before the socket hears it. */
  heardSubscription(link: Link, subscribe: boolean, topic: string): void;
  /** The peer's READY has come, and the socket has not heard it yet. */
  readied(link: Link): void;
  ended(link: Link): void;
}

/** A message that has come in whole, on its way to the application. */
export interface Arrival {
  readonly id: number;
  readonly link: Link;
  /** Whether the application must get it; `may` where a modelled reason stands against it, such as an unsubscription. */
  duty: "must" | "may" | "never";
  taken: boolean;
}

/**
 * One end of a connection, between the socket and its transport: everything that goes by is read along, before the socket acts
 * on it, and the connection can be stalled and cut at any byte.
 */
export class Link implements Stream, StreamHandler {
  readonly owner: LinkOwner;
  /** The endpoint bound or dialled. */
  readonly address: string;
  readonly isDialled: boolean;
  readonly inner: Stream;
  /** Of its own: where one address is dialled twice, the socket's counters could not be told apart by what the transport says. */
  readonly remoteAddress: string;
  /** The peer's READY has come, ours has left. */
  heardReady = false;
  saidReady = false;
  /** The socket was told that it is full, and not yet that it has drained. */
  isFull = false;
  isOver = false;
  /** The socket has cut it. */
  isCut = false;
  /** It did not keep up, and so must end. */
  isTooSlow = false;
  /** Whether the socket has closed the endpoint that this connection is one of. */
  closing: "no" | "perhaps" | "yes" = "no";
  /** Topics in force by what was said on this connection: by the owner, and by its peer. */
  readonly saidTopics: Set<string> = new Set();
  readonly heardTopics: Set<string> = new Set();
  heardCancels = 0;
  lastWritten = -1;
  readonly arrivals: Arrival[] = [];
  /** How many of the arrivals the application has got or passed over. */
  next = 0;
  /** How often others were served since this one was, while it had something to give. */
  readonly passedOver: Map<Link, number> = new Map();
  #handler!: StreamHandler;
  readonly #out: Tape;
  readonly #in: Tape;
  #isPaused = false;
  #isStalled = false;
  /** What came in all the same while stalled. */
  #heldChunks: Uint8Array[] = [];
  #heldEnd = false;
  #isClosed = false; // the owner reads no more
  #bytesLeft = Number.POSITIVE_INFINITY;
  readonly #reset: (stream: Stream) => void;

  constructor(
    inner: Stream,
    address: string,
    isDialled: boolean,
    owner: LinkOwner,
    reset: (stream: Stream) => void,
    number: number,
  ) {
    this.inner = inner;
    this.remoteAddress = `${inner.remoteAddress} (${number})`;
    this.address = address;
    this.isDialled = isDialled;
    this.owner = owner;
    this.#reset = reset;
    const { side } = owner;
    this.#out = new Tape(side === "receiver", {
      onReady: () => {
        this.saidReady = true;
      },
      onMessage: (parts) => owner.wrote(this, parts),
      onSubscription: (subscribe, topic) => owner.saidSubscription(this, subscribe, topic.toString("latin1")),
    });
    this.#in = new Tape(side === "sender", {
      onReady: () => {
        this.heardReady = true;
        owner.readied(this);
      },
      onMessage: (parts) => owner.heard(this, parts),
      onSubscription: (subscribe, bytes) => {
        const topic = bytes.toString("latin1");
        owner.heardSubscription(this, subscribe, topic);
        if (subscribe) this.heardTopics.add(topic);
        else {
          this.heardTopics.delete(topic);
          this.heardCancels += 1;
        }
      },
    });
  }

  /** The handshake is complete at this end. */
  get isReady(): boolean {
    return this.heardReady && !this.isOver;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    this.owner.opened(this);
    this.inner.start(this);
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const hasRoom = this.inner.write(chunks);
    if (!hasRoom) this.isFull = true;
    for (const chunk of chunks) this.#out.push(chunk);
    return hasRoom;
  }

  pause(): void {
    this.#isPaused = true;
    this.inner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isStalled) this.inner.resume();
  }

  end(): void {
    this.inner.end();
    this.#endStall();
  }

  destroy(): void {
    this.isCut = true;
    this.inner.destroy();
    this.#endStall();
  }

  onData(chunk: Uint8Array): void {
    if (this.#isStalled) {
      this.#heldChunks.push(chunk);
      return;
    }
    if (this.#bytesLeft < chunk.length) {
      const passed = chunk.subarray(0, this.#bytesLeft);
      this.#bytesLeft = 0;
      if (passed.length > 0) this.#pass(passed);
      this.#reset(this.inner);
      return;
    }
    this.#bytesLeft -= chunk.length;
    this.#pass(chunk);
  }

  onDrain(): void {
    this.isFull = false;
    this.#handler.onDrain();
  }

  onEnd(cause: Error | null): void {
    if (this.#isStalled && cause === null) {
      this.#heldEnd = true;
      return;
    }
    if (this.isOver) return;
    this.isOver = true;
    this.#heldChunks = [];
    this.#handler.onEnd(cause);
    this.owner.ended(this);
  }

  // What a model does to the connection

  /** Nothing more comes in at this end, until `unstall`; the peer's bytes wait. */
  stall(): void {
    if (this.isOver || this.#isClosed) return;
    this.#isStalled = true;
    this.inner.pause();
  }

  unstall(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    for (const chunk of this.#heldChunks.splice(0)) this.onData(chunk);
    if (this.#heldEnd) this.onEnd(null);
    else if (!this.#isPaused) this.inner.resume();
  }

  /** The connection breaks when so many more bytes have come in at this end; 0: now. */
  breakAfter(bytes: number): void {
    if (bytes > 0) this.#bytesLeft = bytes;
    else if (!this.isOver) this.#reset(this.inner);
  }

  /** The owner has closed this end: it reads no more, but has to hear of the end. */
  #endStall(): void {
    this.#isClosed = true;
    if (!this.#isStalled) return;
    this.#isStalled = false;
    this.#heldChunks = [];
    if (this.#heldEnd) queueMicrotask(() => this.onEnd(null));
  }

  #pass(chunk: Uint8Array): void {
    this.#in.push(chunk);
    this.#handler.onData(chunk);
  }
}

/** A transport whose streams are links. */
export function linking(transport: Transport, owner: LinkOwner, reset: (stream: Stream) => void): Transport {
  let number = 0;
  const link = (stream: Stream, address: string, isDialled: boolean): Link => {
    number += 1;
    return new Link(stream, address, isDialled, owner, reset, number);
  };
  return {
    check: (address, purpose) => transport.check(address, purpose),
    dial: (address, options, done) =>
      transport.dial(address, options, (error, stream) =>
        done(error, stream === null ? null : link(stream, address, true)),
      ),
    listen: (address, options, onStream) =>
      transport.listen(address, options, (stream) => onStream(link(stream, address, false))),
  };
}
