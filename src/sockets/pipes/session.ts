import { ProtocolError } from "../../errors.ts";
import type { Timer } from "../../runtime/environment.ts";
import { throwUncaught } from "../../runtime/uncaught.ts";
import type { Stream, StreamHandler, StreamReader } from "../../transports/transport.ts";
import {
  Connection,
  type ConnectionOptions,
  type OutgoingMessage,
  type PeerInfo,
  type SubscriptionForm,
} from "../../zmtp/index.ts";
import type { Context } from "../context/context.ts";
import type { Flushable } from "../context/flusher.ts";
import type { Timed } from "../context/scheduler.ts";
import type { DisconnectReason } from "../events/events.ts";

/** Bytes that are handed to the stream in one go, and after which we do not wait for the end of the turn. */
const FLUSH_SIZE = 64 * 1024;
/** ms that a stream is left to the peer to read an ERROR command, before it is cut. */
const FAREWELL = 1000;

/** Who hears of a session. Called from within the session's reads and writes. */
export interface SessionOwner {
  onReady(peer: PeerInfo): void;
  onMessage(parts: Uint8Array[]): void;
  onSubscription(subscribe: boolean, topic: Uint8Array): void;
  onPong(context: Uint8Array): void;
  /** The peer is gone; `onEnd` follows when what was received before has been taken, for which there is no room now. */
  onLeft(): void;
  /** There is room again, after `isOpen` was false. */
  onWritable(): void;
  /** Exactly once, last: after every message that was received. */
  onEnd(reason: DisconnectReason, error: Error | null): void;
}

/**
 * One connection, from the first byte to the last, thrown away whole when it ends: the protocol's Connection on a
 * transport's Stream. It queues nothing but what a single write hands over.
 */
export class Session implements StreamHandler, StreamReader, Timed, Flushable {
  readonly remoteAddress: string;
  readonly #connection: Connection;
  readonly #stream: Stream;
  readonly #context: Context;
  readonly #owner: SessionOwner;
  #ready = false;
  #full = false; // the stream has had enough until onDrain, or will take nothing any more
  #flushing = false; // waits in the flusher
  #blocked = false; // the owner takes no messages for now
  #paused = false; // the stream was told so
  #closing = false; // we close: what is received is dropped
  #ended = false;
  #farewell: Timer | null = null;
  #end: { reason: DisconnectReason; error: Error | null } | null = null; // the stream's end, told once all was read

  constructor(
    stream: Stream,
    options: Omit<ConnectionOptions, "now" | "allocate" | "view">,
    context: Context,
    owner: SessionOwner,
  ) {
    const environment = context.environment;
    this.remoteAddress = stream.remoteAddress;
    this.#stream = stream;
    this.#context = context;
    this.#owner = owner;
    const { allocate, view } = environment;
    this.#connection = new Connection({ ...options, now: environment.now(), allocate, view });
    stream.start(this);
    this.#context.scheduler.schedule(this);
    this.flush();
  }

  /** Whether a message would go straight out. */
  get isOpen(): boolean {
    return this.#ready && !this.#full && !this.#closing;
  }

  /** Whether all that was sent has been handed to the stream, and the stream has room. */
  get isFlushed(): boolean {
    return !this.#full && this.#connection.outputLength === 0;
  }

  /** The connection is over, though `onEnd` may have to wait until what was received has been taken. */
  get isOver(): boolean {
    return this.#end !== null;
  }

  get peer(): PeerInfo | null {
    return this.#connection.peer;
  }

  get canPing(): boolean {
    return this.#connection.canPing;
  }

  get reader(): StreamReader {
    return this;
  }

  get wakeAt(): number {
    return this.#connection.wakeAt;
  }

  send(message: OutgoingMessage): void {
    this.#connection.send(message);
    this.#sent();
  }

  tell(subscribe: boolean, topic: Uint8Array, form: SubscriptionForm): void {
    if (subscribe) this.#connection.subscribe(topic, form);
    else this.#connection.cancel(topic, form);
    this.#sent();
  }

  ping(context: Uint8Array): void {
    this.#connection.ping(context);
    this.#sent();
  }

  flush(): void {
    this.#flushing = false;
    // While the stream is full, the connection bounds what waits: a peer that never reads gets no endless row of PONGs.
    if (!this.#full) this.#write();
  }

  /**
   * Stops handing out messages; what the peer goes on sending is held up by TCP. Its silence proves nothing meanwhile, and
   * what it has sent before is not lost by a heartbeat.
   */
  block(): void {
    this.#blocked = true;
    this.#connection.suspend();
  }

  /** As `block`, and does not read either. */
  hold(): void {
    this.block();
    this.#pause();
  }

  unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#read();
    if (this.#blocked || this.#closing || this.#ended) return;
    this.#connection.resume(this.#context.environment.now());
    this.#context.scheduler.schedule(this);
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  /** Sends what was given to it, then closes. `onEnd` follows. */
  finish(): void {
    this.#write();
    this.#stop();
    this.#stream.end();
  }

  /** Closes at once. `onEnd` follows. */
  cut(): void {
    this.#stop();
    this.#stream.destroy();
  }

  /** As `cut`, for this reason, while the handshake is not complete. */
  abort(error: Error): void {
    this.#end ??= { reason: "handshake", error };
    this.#closing = true;
    this.#context.scheduler.forget(this);
    this.#stream.destroy();
  }

  /** Ends the connection for what the peer has done, though the protocol allows it. Nothing more is sent. `onEnd` follows. */
  fail(error: ProtocolError): void {
    this.#connection.close();
    this.#fail(error);
  }

  tick(now: number): void {
    try {
      this.#connection.tick(now);
    } catch (error) {
      this.#caught(error);
    }
    this.flush();
  }

  onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#connection.received(this.#context.environment.now());
    this.#connection.push(chunk);
    this.#receive();
  }

  space(least: number): Uint8Array | null {
    return this.#connection.space(least);
  }

  onFilled(size: number): void {
    if (this.#closing) return;
    this.#connection.received(this.#context.environment.now());
    this.#connection.filled(size);
    this.#receive();
  }

  onLentData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#connection.received(this.#context.environment.now());
    this.#connection.push(chunk, true);
    this.#receive();
    this.#connection.keep();
  }

  #receive(): void {
    if (this.#blocked) this.#pause();
    else this.#read();
    if (!this.#closing) this.#context.scheduler.schedule(this);
  }

  onDrain(): void {
    this.#full = false;
    this.flush();
    if (!this.#full && this.#ready && !this.#closing) this.#owner.onWritable();
  }

  onEnd(cause: Error | null): void {
    this.#farewell?.cancel();
    if (this.#ended) return;
    this.#full = true;
    const reason = !this.#ready ? "handshake" : cause === null ? "peer" : "reset";
    this.#end ??= { reason, error: cause };
    this.#read();
    if (!this.#ended) this.#owner.onLeft();
  }

  #write(): void {
    if (this.#ended || this.#connection.outputLength === 0) return;
    if (!this.#stream.write(this.#connection.output())) this.#full = true;
  }

  /** From now on nothing counts that comes, and so neither does silence. */
  #stop(): void {
    this.#closing = true;
    this.#context.scheduler.forget(this);
    // The stream may have ended while the owner took nothing: then there is no other end to wait for.
    if (this.#end !== null) this.#context.environment.endOfTurn(() => this.#finished());
  }

  #sent(): void {
    if (this.#connection.outputLength >= FLUSH_SIZE) this.flush();
    else if (!this.#flushing) {
      this.#flushing = true;
      this.#context.flusher.add(this);
    }
  }

  /** Hands out what has been received, as far as the owner takes it; then the end, if that has come. */
  #read(): void {
    try {
      while (!this.#blocked && !this.#closing) {
        const event = this.#connection.next();
        if (event === null) break;
        if (event.type === "message") this.#owner.onMessage(event.parts);
        else if (event.type === "subscription") this.#owner.onSubscription(event.subscribe, event.topic);
        else if (event.type === "pong") this.#owner.onPong(event.context);
        else if (event.type === "refused") this.#fail(event.error);
        else this.#becomeReady(event.peer);
      }
    } catch (error) {
      this.#caught(error);
    }
    this.flush();
    if (this.#end !== null && (!this.#blocked || this.#closing)) this.#finished();
  }

  #becomeReady(peer: PeerInfo): void {
    this.#ready = true;
    this.#owner.onReady(peer);
  }

  /** A chunk came although the owner takes nothing: hold it, and hold up the peer. */
  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stream.pause();
  }

  /**
   * The engine throws ProtocolError and nothing else. Whatever else comes here is a fault of ours, and must not pass for the
   * peer's: it is an uncaught exception. The connection ends all the same, for nobody knows what has been done and what not.
   */
  #caught(error: unknown): void {
    if (error instanceof ProtocolError) {
      this.#fail(error);
      return;
    }
    throwUncaught(this.#context.environment, error);
    this.#connection.close();
    this.#fail(
      error instanceof Error ? error : new Error(String(error)),
      this.#ready ? "reset" : "handshake",
    );
  }

  /** The connection is over for a reason of the protocol. An ERROR command may still be on its way out. */
  #fail(error: Error, reason: DisconnectReason = reasonOf(error, this.#ready)): void {
    if (this.#end !== null) {
      // The peer has closed behind its fault, which was read only now that there was room.
      if (this.#end.error === null && !this.#closing) this.#end = { reason, error };
      return;
    }
    this.#end = { reason, error };
    const farewell = this.#connection.outputLength > 0;
    this.#write();
    this.#closing = true;
    if (!farewell) {
      this.#stream.destroy();
      return;
    }
    this.#stream.end();
    this.#farewell = this.#context.environment.setTimer(FAREWELL, () => this.#stream.destroy());
  }

  #finished(): void {
    if (this.#ended || this.#end === null) return;
    this.#ended = true;
    const { reason } = this.#end;
    // A frame or message that the end has cut is worth knowing of, for it is lost.
    const error = this.#end.error ?? (this.#closing ? null : this.#connection.end());
    this.#context.scheduler.forget(this);
    this.#connection.close();
    this.#owner.onEnd(reason, error);
  }
}

function reasonOf(error: Error, ready: boolean): DisconnectReason {
  const code = (error as { code?: string }).code;
  if (code === "ERR_ZMTP_REFUSED") return "refused";
  if (code === "ERR_ZMTP_HEARTBEAT_TIMEOUT") return "heartbeat";
  if (code === "ERR_ZMTP_HANDSHAKE_TIMEOUT" && !ready) return "handshake";
  return "protocol";
}
