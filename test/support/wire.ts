import { COPY_LIMIT, type Event, OutgoingMessage, ProtocolError } from "../../src/zmtp/index.ts";
import { concat, messageEvents } from "../generators/index.ts";
import { alignedSize, checkDead, checkOpening, describeEvent, type End, latin1 } from "./wire-end.ts";

export type Name = "a" | "b";

/** What may happen on the wire or at one of its ends. */
export type WireStep =
  | { type: "send"; by: Name; parts: Uint8Array[]; isObject: boolean }
  | { type: "subscribe"; by: Name; topic: Uint8Array }
  | { type: "cancel"; by: Name; topic: Uint8Array }
  | { type: "ping"; by: Name; context: Uint8Array }
  /** What waits in `output()` goes on the wire. */
  | { type: "flush"; by: Name }
  /** So many bytes arrive, as one chunk; `isRead`: and the events are asked for. */
  | { type: "carry"; to: Name; size: number; isRead: boolean }
  /** `isLate`: nobody was asked for a tick until the end of it. */
  | { type: "pass"; ms: number; isLate: boolean }
  | { type: "suspend"; by: Name }
  | { type: "resume"; by: Name }
  | { type: "close"; by: Name }
  /** The wire breaks: of what is under way only so many bytes arrive, in either direction; `isAligned`: and no part of a frame. */
  | { type: "break"; keep: number; isAligned: boolean };

/** Two connections and the bytes between them. Throws when a rule is broken at any step. */
export class WireModel {
  readonly ends: Readonly<Record<Name, End>>;
  now = 0;

  constructor(a: End, b: End) {
    this.ends = { a, b };
  }

  run(steps: readonly WireStep[]): this {
    for (const step of steps) {
      this.#do(step);
      this.#check(this.ends.a);
      this.#check(this.ends.b);
    }
    return this;
  }

  /** Everything that waits arrives, and is read; time stands still. */
  settle(): this {
    for (const end of this.#all()) if (end.isSuspended) this.#do({ type: "resume", by: this.#nameOf(end) });
    for (;;) {
      for (const by of ["a", "b"] as const) {
        this.#do({ type: "flush", by });
        this.#do({ type: "carry", to: other(by), size: this.ends[by].underway.length, isRead: true });
      }
      for (const end of this.#all()) this.#check(end);
      if (this.#all().every((end) => end.underway.length + end.connection.outputLength === 0)) return this;
    }
  }

  #do(step: WireStep): void {
    if (step.type === "carry") this.#carry(step.to, step.size, step.isRead);
    else if (step.type === "pass") this.#pass(step.ms, step.isLate);
    else if (step.type === "break") this.#break(step.keep, step.isAligned);
    else this.#call(this.ends[step.by], step);
  }

  #call(end: End, step: Exclude<WireStep, { type: "carry" | "pass" | "break" }>): void {
    if (step.type === "send") this.#send(end, step.parts, step.isObject);
    else if (step.type === "ping") this.#ping(end, step.context);
    else if (step.type === "flush") this.#flush(end);
    else if (step.type === "resume") this.#resume(end);
    else if (step.type === "suspend") {
      end.isSuspended = true;
      end.connection.suspend();
    } else if (step.type === "close") {
      end.isClosed = true;
      end.connection.close();
    } else {
      this.#subscribe(end, step.type === "subscribe", step.topic);
    }
  }

  #send(end: End, parts: Uint8Array[], isObject: boolean): void {
    const theirs = this.#otherOf(end).options.socketType;
    if (!end.isOver) end.given.push(messageEvents(theirs, parts).map(describeEvent));
    const own = parts.map((part) => part.slice());
    end.connection.send(isObject ? new OutgoingMessage(own) : own);
    // What is small was copied at the call, unless it was given as an object.
    if (!isObject) for (const part of own) if (part.length <= COPY_LIMIT) part.fill(0xee);
  }

  #subscribe(end: End, subscribe: boolean, topic: Uint8Array): void {
    if (!/^X?SUB$/.test(end.options.socketType)) return;
    if (!end.isOver) end.given.push([describeEvent({ type: "subscription", subscribe, topic })]);
    const own = topic.slice();
    if (subscribe) end.connection.subscribe(own);
    else end.connection.cancel(own);
    own.fill(0xee);
  }

  #ping(end: End, context: Uint8Array): void {
    if (!end.isOver) end.pings.push(latin1(context));
    const own = context.slice();
    end.connection.ping(own);
    own.fill(0xee);
  }

  #flush(end: End): void {
    const length = end.connection.outputLength;
    const bytes = concat(end.connection.output());
    if (bytes.length !== length) throw new Error(`outputLength ${length}, output ${bytes.length}`);
    if (end.peer === null) {
      end.opening = concat([end.opening, bytes]);
      checkOpening(end);
    }
    for (const [i, byte] of end.announced.entries()) {
      const at = 10 + i - end.written;
      if (at >= 0 && at < bytes.length) bytes[at] = byte;
    }
    end.written += bytes.length;
    end.underway = concat([end.underway, bytes]);
  }

  #carry(to: Name, size: number, isRead: boolean): void {
    const end = this.ends[to];
    const from = this.#otherOf(end);
    if (end.isSuspended) return;
    const chunk = from.underway.slice(0, size);
    from.underway = from.underway.subarray(chunk.length);
    if (chunk.length > 0 && !end.isOver) {
      from.arrived.push(chunk.slice());
      end.lastSign = this.now;
      end.connection.received(this.now);
      end.connection.push(chunk);
    }
    if (isRead) this.#read(end);
    if (from.isOver && from.underway.length === 0 && from.connection.outputLength === 0) this.#tellEnd(end);
  }

  #read(end: End): void {
    const events: Event[] = [];
    this.#guard(end, () => {
      for (let event = end.connection.next(); event !== null; event = end.connection.next())
        events.push(event);
    });
    end.take(events);
  }

  #tellEnd(end: End): void {
    if (end.isOver) return;
    this.#read(end);
    if (!end.isOver) end.endedWith = end.connection.end()?.code ?? null;
  }

  #pass(ms: number, isLate: boolean): void {
    const until = this.now + ms;
    while (!isLate) {
      const next = Math.min(this.ends.a.connection.wakeAt, this.ends.b.connection.wakeAt);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      this.#tick();
    }
    this.now = until;
    this.#tick();
  }

  #tick(): void {
    for (const end of this.#all()) {
      const before = end.error;
      this.#guard(end, () => end.connection.tick(this.now));
      if (end.connection.wakeAt <= this.now)
        throw new Error(`wakeAt ${end.connection.wakeAt} at ${this.now}`);
      if (end.error !== null && end.error !== before) this.#checkTimeout(end, end.error);
    }
  }

  /** A deadline that is missed was one. */
  #checkTimeout(end: End, code: string): void {
    const { handshakeInterval = 30_000, heartbeatInterval = 0, heartbeatTimeout = -1 } = end.options;
    const asked = this.#otherOf(end).options.heartbeatTimeToLive || Number.POSITIVE_INFINITY;
    const timeout =
      (heartbeatTimeout === -1 ? heartbeatInterval : heartbeatTimeout) || Number.POSITIVE_INFINITY;
    const silence = this.now - end.lastSign;
    const isJust =
      code === "ERR_ZMTP_HANDSHAKE_TIMEOUT"
        ? end.peer === null && handshakeInterval > 0 && this.now >= handshakeInterval
        : end.peer !== null && !end.isSuspended && silence >= Math.min(timeout, asked);
    if (!isJust) throw new Error(`unjust ${code}`);
  }

  #resume(end: End): void {
    // Who was not suspended has no deadline that begins anew.
    if (end.isSuspended) end.lastSign = this.now;
    end.isSuspended = false;
    end.connection.resume(this.now);
  }

  #break(keep: number, isAligned: boolean): void {
    for (const end of this.#all()) {
      if (end.isSuspended) this.#resume(end);
      this.#flush(end);
      end.underway = end.underway.subarray(0, isAligned ? alignedSize(end, keep) : keep);
    }
    for (const to of ["a", "b"] as const) {
      this.#carry(to, keep, true);
      this.ends[other(to)].underway = new Uint8Array(0);
    }
    for (const end of this.#all()) this.#tellEnd(end);
  }

  #guard(end: End, act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      end.error = error.code;
    }
  }

  /** What is true at every moment. */
  #check(end: End): void {
    const { connection, options } = end;
    const isDue = connection.wakeAt !== Number.POSITIVE_INFINITY;
    if (connection.stage === "closed") {
      checkDead(end, isDue);
      return;
    }
    if (connection.stage !== "traffic") {
      const isLimited = (options.handshakeInterval ?? 30_000) > 0;
      if (isDue !== isLimited) throw new Error(`wakeAt ${connection.wakeAt} during ${connection.stage}`);
      return;
    }
    const beats =
      (options.heartbeatInterval ?? 0) > 0 && (options.heartbeatPeers !== "able" || connection.canPing);
    const isAsked = (this.#otherOf(end).options.heartbeatTimeToLive ?? 0) > 0;
    if (beats && !isDue) throw new Error("no PING is due");
    if (isDue && !beats && !isAsked) throw new Error(`wakeAt ${connection.wakeAt} for nothing`);
  }

  #all(): End[] {
    return [this.ends.a, this.ends.b];
  }

  #otherOf(end: End): End {
    return end === this.ends.a ? this.ends.b : this.ends.a;
  }

  #nameOf(end: End): Name {
    return end === this.ends.a ? "a" : "b";
  }
}

function other(name: Name): Name {
  return name === "a" ? "b" : "a";
}
