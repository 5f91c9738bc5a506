import { type ProtocolError, ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { Fifo } from "../../runtime/fifo.ts";
import { OutgoingMessage, type SocketType } from "../../zmtp/index.ts";
import type { Flushable } from "../context/flusher.ts";
import type { Core } from "../core.ts";
import { announce } from "../events/diagnostics.ts";
import type { DisconnectReason } from "../events/events.ts";
import type { PeerStats } from "../stats.ts";
import { InprocOutbox, type InprocSubscription } from "./inproc-outbox.ts";
import type { InprocPeer } from "./inproc-peer.ts";
import type { Pipe, TopicSource } from "./pipe.ts";
import { PipeCounts } from "./pipe-counts.ts";
import { Inbox } from "./queues.ts";

/** Items delivered in one go; what follows comes after other pipes had their turn. */
const BATCH = 1000;

/** Why a connection was cut. */
type Cut = { readonly reason: DisconnectReason; readonly error?: Error };

/**
 * One end of a connection within the process. No bytes: the peer gets the parts that were sent, in the same memory. What is
 * sent leaves at the end of the turn, in order, and is then kept by the receiving end until its application takes it; the two
 * stages count together against the sum of both ends' high-water marks.
 *
 * There is no other connection to come (no reconnect): when one end closes, the other has got everything that was sent before, and
 * is over too.
 *
 * It has two faces: a pipe to its pattern, a peer to the other end.
 */
export class InprocPipe implements Pipe, InprocPeer, Flushable {
  readonly address: string;
  readonly #core: Core;
  readonly #onGone: () => void;
  readonly #outbox: InprocOutbox;
  readonly #inbox: Inbox;
  readonly #counts: PipeCounts;
  #conflates: boolean; // only the last message counts, both ways, if either end wants it so
  #peer: InprocPeer | null = null;
  #isAttached = false;
  #isReady = false;
  #isGone = false;
  #isEnding = false; // takes no more; the end follows what is on its way
  #cut: Cut | null = null; // why the connection ends, if not by a close
  #wasFull = false; // an offer was refused: the pattern waits for `writable`
  #isScheduled = false;
  #replay: TopicSource | null = null; // subscriptions that the peer has not been told of
  readonly #changes = new Fifo<InprocSubscription>(); // meanwhile, of those that it has been told of

  /** @param onGone there is nothing left to send, and nobody to hear from. */
  constructor(core: Core, address: string, onGone: () => void) {
    this.#core = core;
    this.address = address;
    this.#onGone = onGone;
    this.#outbox = new InprocOutbox(core.options);
    this.#inbox = new Inbox(core.options, false);
    this.#counts = new PipeCounts(core);
    this.#conflates = core.options.conflate;
  }

  get type(): SocketType {
    return this.#core.type;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get kept(): number {
    return this.#inbox.length;
  }

  /** As a dialled one: messages queue from now on, whether or not anybody has bound the address. */
  connect(): void {
    this.#attach();
    this.#core.context.inproc.connect(this);
  }

  /** The other end is there, and hears of it at the end of the turn. */
  link(peer: InprocPeer): void {
    this.#peer = peer;
    this.#conflates ||= peer.conflates;
    this.#schedule();
  }

  hasRoom(): boolean {
    if (this.#isEnding) return false;
    if (this.#conflates || this.#outbox.fill(this.#peer) < 1) return true;
    this.#wasFull = true;
    return false;
  }

  offer(message: OutgoingMessage): boolean {
    if (!this.hasRoom()) return false;
    if (this.#conflates) this.#countDropped(this.#outbox.replace());
    this.#outbox.send(message);
    this.#schedule();
    return true;
  }

  /** Nothing waits: a publisher queues nothing for a peer that it does not know. */
  greet(message: OutgoingMessage): void {
    if (!this.offer(message)) this.drop();
  }

  keep(parts: Uint8Array[]): void {
    this.#counts.received += 1;
    // An XPUB keeps subscriptions too, none of which may be missing; what the peer publishes is conflated, not what it wants.
    const isLast = this.#conflates && this.#core.type !== "XPUB";
    if (isLast && this.#inbox.shift() !== undefined) this.#countDropped(1);
    this.#inbox.push(parts);
  }

  take(): Uint8Array[] | undefined {
    const parts = this.#inbox.shift();
    this.#peer?.taken();
    return parts;
  }

  countReceived(): void {
    this.#counts.received += 1;
  }

  drop(): void {
    this.#countDropped(1);
    this.#core.events.emit({ type: "drop", address: this.address });
  }

  subscribe(topic: Uint8Array): void {
    this.#tell(true, topic);
  }

  replay(topics: TopicSource): void {
    this.#replay = topics;
    this.#schedule();
  }

  cancel(topic: Uint8Array): void {
    this.#tell(false, topic);
  }

  repeat(subscribe: boolean, topic: Uint8Array): void {
    this.#tell(subscribe, topic);
  }

  confirm(): Promise<"answered"> {
    if (!this.#isReady || this.#isEnding)
      return Promise.reject(new ZmqError("EAGAIN", undefined, { address: this.address }));
    return new Promise((resolve, reject) => {
      this.#outbox.push({ resolve, reject });
      this.#schedule();
    });
  }

  /** No more than a batch is taken in anyway. */
  rest(): void {}

  overflow(): void {
    this.#countDropped(1);
    this.#end({ reason: "overflow" });
  }

  fail(error: ProtocolError): void {
    this.#end({ reason: "protocol", error });
  }

  /** Takes no more. A connected peer gets what was sent; else it waits for somebody to bind the address. */
  close(): void {
    if (this.#isGone) return;
    this.#detach();
    this.#isEnding = true;
    if (this.#peer !== null) this.#schedule();
    else if (this.#outbox.messages === 0) this.#leave();
  }

  /** Waits for nobody any more. */
  abandon(): void {
    if (this.#peer === null) this.#leave();
  }

  /** A high-water mark may have been changed. It counts for both ends. */
  optionsChanged(): void {
    this.resume();
    this.#peer?.resume();
  }

  stats(): PeerStats {
    const queued = this.#outbox.messages + this.#inbox.length;
    return this.#counts.stats(this.address, this.#peer?.type ?? null, queued);
  }

  /** Delivers what is on its way, then the end, if that has come. Called by the courier. */
  flush(): void {
    this.#isScheduled = false;
    this.#peer?.introduce();
    try {
      for (let count = 0; count < BATCH && this.#peer !== null; count += 1) {
        if (this.#replay !== null) {
          this.#tellNext(this.#replay, this.#peer);
          continue;
        }
        const item = this.#outbox.shift();
        if (item === undefined) break;
        if (item instanceof OutgoingMessage) this.#deliver(item, this.#peer);
        else if ("topic" in item) this.#peer.hear(item.subscribe, item.topic);
        else item.resolve("answered");
      }
    } finally {
      if (!this.#outbox.isEmpty || this.#replay !== null) this.#schedule();
      else if (this.#isEnding) this.#part();
      if (this.#wasFull && !this.#isEnding && this.#outbox.fill(this.#peer) <= 0.5) this.#tellWritable();
    }
  }

  // What the other end calls

  get conflates(): boolean {
    return this.#conflates;
  }

  resume(): void {
    if (this.#wasFull && !this.#isEnding && this.#outbox.fill(this.#peer) < 1) this.#tellWritable();
  }

  introduce(): void {
    if (this.#isReady || this.#isEnding) return;
    this.#isReady = true;
    this.#attach();
    this.#core.pattern.ready(this);
    this.resume();
  }

  receive(parts: Uint8Array[]): boolean {
    if (this.#isEnding) return false;
    this.#core.pattern.message(this, parts);
    return true;
  }

  hear(subscribe: boolean, topic: Uint8Array): void {
    if (!this.#isEnding) this.#core.pattern.subscription(this, subscribe, topic);
  }

  taken(): void {
    if (this.#wasFull && this.#outbox.fill(this.#peer) <= 0.5) this.#schedule();
  }

  ended(wasCut: boolean): void {
    this.#peer = null;
    if (wasCut) this.#cut ??= { reason: "peer" };
    this.#leave();
  }

  get receiveHighWaterMark(): number {
    return this.#core.options.receiveHighWaterMark;
  }

  get receiveHighWaterMarkBytes(): number {
    return this.#core.options.receiveHighWaterMarkBytes;
  }

  get keptBytes(): number {
    return this.#inbox.bytes;
  }

  /** What has become of topics told comes before the others: one that was given up and is wanted again may be among those. */
  #tellNext(replay: TopicSource, peer: InprocPeer): void {
    const change = this.#changes.shift();
    const topic = change === undefined ? replay.next() : change.topic;
    if (topic === null) this.#replay = null;
    else peer.hear(change?.subscribe ?? true, topic);
  }

  #deliver(message: OutgoingMessage, peer: InprocPeer): void {
    let isTaken = false;
    try {
      // Throws if the caller has given the bytes away since: a detached ArrayBuffer has none.
      isTaken = peer.receive(toBuffers(message.parts, this.#core.context.environment));
    } finally {
      if (isTaken) this.#counts.sent += 1;
      else this.#countDropped(1);
    }
  }

  #tell(subscribe: boolean, topic: Uint8Array): void {
    if (!this.#isReady || this.#isEnding) return;
    // The caller's bytes are the caller's again when this returns.
    const change = { subscribe, topic: new Uint8Array(topic) };
    if (this.#replay === null) this.#outbox.push(change);
    else this.#changes.push(change);
    this.#schedule();
  }

  #tellWritable(): void {
    this.#wasFull = false;
    this.#core.pattern.writable(this);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#peer === null) return;
    this.#isScheduled = true;
    this.#core.context.courier.add(this);
  }

  #attach(): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    this.#core.pattern.attach(this);
  }

  #detach(): void {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    this.#core.pattern.detach(this);
  }

  /** Ends the connection at once; what is on its way is lost. Both ends tell of it. */
  #end(cut: Cut): void {
    if (this.#isEnding) return;
    this.#cut = cut;
    this.#isEnding = true;
    this.#discard();
    this.#schedule();
  }

  /** The peer has everything that was for it. */
  #part(): void {
    const peer = this.#peer;
    this.#peer = null;
    peer?.ended(this.#cut !== null);
    this.#leave();
  }

  /** Without peer, and without hope of one. */
  #leave(): void {
    if (this.#isGone) return;
    const { pattern, context } = this.#core;
    const tell = this.#isAttached;
    this.#isEnding = true;
    this.#discard();
    this.#isGone = true;
    this.#counts.retire();
    context.inproc.forget(this);
    if (tell && this.#isReady) pattern.lost(this);
    this.#isReady = false;
    this.#detach();
    this.#onGone();
    if (tell && this.#cut !== null)
      announce(this.#core, { type: "disconnect", address: this.address, ...this.#cut });
  }

  #discard(): void {
    this.#replay = null;
    this.#changes.clear();
    const { address } = this;
    this.#countDropped(
      this.#outbox.clear(() => new ZmqError("ECONNRESET", "The connection was lost", { address })),
    );
  }

  #countDropped(count: number): void {
    this.#counts.drop(this.address, count);
  }
}

/** A list of its own for each peer; the bytes are the same. */
function toBuffers(parts: readonly Uint8Array[], environment: Environment): Uint8Array[] {
  const buffers: Uint8Array[] = [];
  for (let i = 0; i < parts.length; i += 1) buffers.push(environment.show(parts[i] as Uint8Array));
  return buffers;
}
