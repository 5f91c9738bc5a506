import type { Timer } from "../../runtime/environment.ts";
import type { Stream, StreamHandler } from "../../transports/transport.ts";
import type { Core } from "./core.ts";
import { execute } from "./execute.ts";
import { Output } from "./output.ts";
import { Replies } from "./replies.ts";
import { RequestError, RequestParser } from "./request-parser.ts";
import type { Database } from "./store.ts";
import type { Receiver, Topic, Topics } from "./topics.ts";

/** Bytes that do not wait for the end of the turn. */
const FLUSH_AT = 262_144;

/** One client, as the broker sees it: its connection, and what it has said about itself. */
export class Session implements StreamHandler, Receiver {
  readonly core: Core;
  readonly id: number;
  readonly reply: Replies;
  /** One character per byte. */
  name = "";
  /** The number of its database. */
  database = 0;
  /** What it is subscribed to. */
  readonly channels: Set<Topic<Session>> = new Set();
  readonly patterns: Set<Topic<Session>> = new Set();
  readonly shardChannels: Set<Topic<Session>> = new Set();
  readonly #stream: Stream;
  readonly #parser: RequestParser;
  readonly #output: Output;
  /** closing: no further command is executed, and the connection ends once all is written. */
  #phase: "open" | "closing" | "closed" = "open";
  #isFlushDue = false;
  #isWorking = false;
  /** The stream is full. */
  #isFull = false;
  /** Nothing is read: the broker is frozen, or too much waits for the client to read it. */
  #isPaused = false;
  #softTimer: Timer | null = null;
  #cutAfter: number | "inside" | null = null;

  constructor(core: Core, stream: Stream, id: number) {
    this.core = core;
    this.id = id;
    this.#stream = stream;
    this.#parser = new RequestParser(core.options, core.environment);
    this.#output = new Output(core.environment.allocateUnseen);
    this.reply = new Replies(core.environment.allocateUnseen, (chunk) => this.#write(chunk));
    this.authenticated = core.options.password === null;
  }

  get protocol(): 2 | 3 {
    return this.reply.protocol;
  }

  get authenticated(): boolean {
    return this.#parser.authenticated;
  }

  set authenticated(isSo: boolean) {
    this.#parser.authenticated = isSo;
  }

  /** The keys of its database. */
  get keys(): Database {
    return this.core.store.databases[this.database] as Database;
  }

  get isSubscriber(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0;
  }

  onData(chunk: Uint8Array): void {
    if (this.#phase !== "open") return;
    this.#parser.push(chunk);
    this.#work();
  }

  onDrain(): void {
    this.#isFull = false;
    this.flush();
    if (this.#isPaused) this.#resume();
  }

  onEnd(): void {
    this.#leave();
    this.core.onGone(this);
  }

  /** Takes one message; closes the session when too much waits for it. */
  deliver(frame: readonly Uint8Array[]): void {
    if (this.#phase !== "open") return;
    for (const chunk of frame) this.#write(chunk);
    this.core.counters.delivered += 1;
    const { maxOutput, softOutput, softOutputTime } = this.core.options;
    if (this.#output.size > maxOutput) this.#closeForOutput();
    else if (this.#output.size > softOutput) {
      this.#softTimer ??= this.core.environment.setTimer(softOutputTime, () => this.#closeForOutput());
    }
  }

  /** Executes nothing more, writes what there is, then closes. */
  finish(): void {
    if (this.#phase === "open") this.#phase = "closing";
  }

  /** Tells why, then closes. */
  refuse(error: string): void {
    this.reply.error(error);
    this.finish();
  }

  /** Closes at once. */
  destroy(): void {
    this.#leave();
    this.#stream.destroy();
  }

  freeze(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  thaw(): void {
    this.flush();
    this.#resume();
  }

  /** Of what it is to get next, only so many bytes leave, then the connection ends; `inside`: all but the last byte; null: all. */
  cutAfter(bytes: number | "inside" | null): void {
    this.#cutAfter = bytes;
  }

  /** Drops all subscriptions without a word. */
  unsubscribeAll(): void {
    const { channels, patterns, shardChannels } = this.core;
    this.#drop(channels, this.channels);
    this.#drop(patterns, this.patterns);
    this.#drop(shardChannels, this.shardChannels);
  }

  flush(): void {
    this.#isFlushDue = false;
    if (this.core.faults.frozen || this.#phase === "closed") return;
    while (this.#output.size > 0 && !this.#isFull) {
      const chunks = this.#output.take();
      if (this.#cutAfter !== null && this.#cut(chunks)) return;
      this.#isFull = !this.#stream.write(chunks);
    }
    if (this.#output.size <= this.core.options.softOutput) this.#cancelSoftTimer();
    if (this.#phase === "closing" && this.#output.size === 0) {
      this.#leave();
      this.#stream.end();
    }
  }

  /** Executes what has come, until too much waits to be read; the replies leave together. */
  #work(): void {
    this.#isWorking = true;
    this.#execute();
    this.#isWorking = false;
    this.flush();
  }

  #execute(): void {
    try {
      while (this.#phase === "open" && !this.#isPaused) {
        const args = this.#parser.next();
        if (args === null) return;
        execute(this, args);
        if (this.#output.size > this.core.options.maxOutput) this.#pause();
      }
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.reply === null) this.destroy();
      else this.refuse(`ERR ${error.reply}`);
    }
  }

  #pause(): void {
    this.flush();
    if (this.#output.size <= this.core.options.maxOutput) return;
    this.#isPaused = true;
    this.#stream.pause();
  }

  #resume(): void {
    if (this.core.faults.frozen || this.#output.size > this.core.options.maxOutput / 2) return;
    this.#isPaused = false;
    this.#stream.resume();
    this.#work();
  }

  #write(chunk: Uint8Array): void {
    if (this.#phase === "closed") return;
    this.#output.add(chunk);
    if (this.#output.size > FLUSH_AT && !this.#isFull) this.flush();
    else if (!this.#isWorking && !this.#isFlushDue) {
      this.#isFlushDue = true;
      this.core.flushSoon(this);
    }
  }

  /** @returns whether the connection was ended. */
  #cut(chunks: Uint8Array[]): boolean {
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    let left = this.#cutAfter === "inside" ? total - 1 : (this.#cutAfter as number);
    if (left > total) {
      this.#cutAfter = left - total;
      return false;
    }
    const leaving: Uint8Array[] = [];
    for (const chunk of chunks) {
      if (left > 0) leaving.push(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
    }
    if (leaving.length > 0) this.#stream.write(leaving);
    this.#leave();
    this.#stream.end();
    return true;
  }

  #closeForOutput(): void {
    this.core.counters.closedForOutput += 1;
    this.destroy();
  }

  #leave(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#cancelSoftTimer();
    this.#output.clear();
    this.unsubscribeAll();
  }

  #cancelSoftTimer(): void {
    this.#softTimer?.cancel();
    this.#softTimer = null;
  }

  #drop(topics: Topics<Session>, own: Set<Topic<Session>>): void {
    for (const topic of own) topics.remove(topic, this);
    own.clear();
  }
}
