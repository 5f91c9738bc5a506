import { ZmqError } from "../../src/errors.ts";
import { Context, type Environment } from "../../src/sockets/index.ts";
import type { Dial, Listener, Stream, StreamHandler, Transport } from "../../src/transports/transport.ts";

/** Bytes on their way before a stream says that it is full. */
const CAPACITY = 64 * 1024;

interface SimulatedTimer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A runtime that does nothing by itself: a clock that stands still, a network in memory, and queues for the turns of an
 * event loop. `settle` runs what can run now, `advance` lets time pass. The same calls give the same run, always.
 */
export class Simulation {
  readonly network: Network = new Network(this);
  readonly environment: Environment;
  readonly context: Context;
  readonly warnings: string[] = [];
  /** What was said to whoever looks at the process. */
  readonly told: string[] = [];
  /** Who wants to hear that nothing is left to do. */
  readonly idlers: Set<() => void> = new Set();
  readonly published: { name: string; message: unknown }[] = [];
  /** Channels with a subscriber. */
  readonly subscribed: Set<string> = new Set();
  time = 1000;
  /** How many keep the process alive. */
  holds: number = 0;
  readonly timers: Set<SimulatedTimer> = new Set();
  #ends: (() => void)[] = [];
  #turns: (() => void)[] = [];
  #seed: number;

  constructor(seed = 1) {
    this.#seed = seed;
    const sim = this;
    this.environment = {
      transports: { sim: this.network },
      now: () => this.time,
      setTimer: (milliseconds, callback) => {
        const timer = { at: this.time + Math.max(0, milliseconds), callback };
        this.timers.add(timer);
        return { cancel: () => this.timers.delete(timer) };
      },
      endOfTurn: (callback) => this.#ends.push(callback),
      nextTurn: (callback) => this.#turns.push(callback),
      random: () => this.random(),
      allocate: (size) => Buffer.allocUnsafe(size),
      allocateUnseen: (size) => Buffer.allocUnsafe(size),
      encodeText: (text) => Buffer.from(text, "utf8"),
      writeText: (text, memory, at) => (memory as Buffer).write(text, at),
      view: (memory, offset, length) => Buffer.from(memory, offset, length),
      show: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      hold: () => {
        let held = true;
        this.holds += 1;
        return () => {
          if (held) this.holds -= 1;
          held = false;
        };
      },
      warn: (message) => this.warnings.push(message),
      tell: (message) => this.told.push(message),
      onIdle: (callback) => {
        this.idlers.add(callback);
        return () => this.idlers.delete(callback);
      },
      channel: (name) => ({
        get hasSubscribers() {
          return sim.subscribed.has(name);
        },
        publish: (message) => sim.published.push({ name, message }),
      }),
    };
    this.context = new Context(this.environment);
  }

  /** In [0, 1), by a small generator (mulberry32). */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Runs until nothing is left to do but to wait for time to pass. */
  async settle(): Promise<void> {
    await realTurn();
    while (this.#step()) await promiseJobs();
  }

  /** Runs at most so many turns. */
  async turns(count: number): Promise<void> {
    await realTurn();
    for (let i = 0; i < count && this.#step(); i += 1) await promiseJobs();
  }

  /** Runs until the promise is settled, without letting time pass. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.settle();
    if (!isSettled) throw new Error("settled nothing: it waits for time to pass");
    return promise;
  }

  /** Lets time pass, with everything that falls due in it. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.time + milliseconds;
    await this.settle();
    for (let timer = this.#due(until); timer !== null; timer = this.#due(until)) {
      this.time = Math.max(this.time, timer.at);
      this.timers.delete(timer);
      timer.callback();
      await this.settle();
    }
    this.time = until;
  }

  /** The process stands still: time passes, and then what has fallen due comes before what has arrived meanwhile. */
  async block(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    for (let timer = this.#due(this.time); timer !== null; timer = this.#due(this.time)) {
      this.timers.delete(timer);
      timer.callback();
    }
    await this.settle();
  }

  /** What is still there: all zero when everything has been closed. */
  get left(): { holds: number; timers: number; streams: number; listeners: number } {
    const { streams, listeners } = this.network;
    const open = [...streams].filter((stream) => !stream.isOver).length;
    return { holds: this.holds, timers: this.timers.size, streams: open, listeners: listeners.size };
  }

  #due(until: number): SimulatedTimer | null {
    let first: SimulatedTimer | null = null;
    for (const timer of this.timers)
      if (timer.at <= until && (first === null || timer.at < first.at)) first = timer;
    return first;
  }

  /** One turn; false when there was nothing to do. */
  #step(): boolean {
    if (this.#ends.length > 0) {
      for (const callback of this.#ends.splice(0)) callback();
      return true;
    }
    if (this.network.step()) return true;
    const turn = this.#turns.shift();
    turn?.();
    return turn !== undefined;
  }
}

/** Lets all promise jobs run: a tick that is asked for by such a job comes when no other is left. */
function promiseJobs(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}

/** The same, and a turn of the process's own loop: a rejection that nobody handles shows. */
function realTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `sim://name`: addresses, listeners and streams in memory. */
export class Network implements Transport {
  readonly listeners: Map<string, (stream: Stream) => void> = new Map();
  /** Every stream that was made, dialled ones at even places, their other ends behind them. */
  readonly streams: SimulatedStream[] = [];
  /** Addresses whose dials are not answered, until `endBlackHole`. */
  readonly blackHoles: Set<string> = new Set();
  /** Every dial, by address and time. */
  readonly dials: { address: string; at: number }[] = [];
  /** Received chunks have 1 to so many bytes, at random. */
  maxChunk: number = Number.POSITIVE_INFINITY;
  capacity: number = CAPACITY;
  readonly sim: Simulation;
  #actions: (() => void)[] = [];
  #unanswered: { address: string; attempt: () => void }[] = [];
  #names = 0;

  constructor(sim: Simulation) {
    this.sim = sim;
  }

  check(address: string): void {
    if (address.includes(" ")) throw new ZmqError("EINVAL", undefined, { address });
  }

  dial(address: string, _options: unknown, done: (error: Error | null, stream: Stream | null) => void): Dial {
    this.dials.push({ address, at: this.sim.time });
    let cancelled = false;
    const attempt = (): void => {
      if (cancelled) return;
      const onStream = this.listeners.get(address);
      if (onStream === undefined) {
        done(new ZmqError("ECONNREFUSED", "connect ECONNREFUSED", { address }), null);
        return;
      }
      const { near, far } = this.link();
      onStream(far);
      done(null, near);
    };
    if (this.blackHoles.has(address)) this.#unanswered.push({ address, attempt });
    else this.later(attempt);
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  /** Dials to this address are answered again, those under way too. */
  endBlackHole(address: string): void {
    this.blackHoles.delete(address);
    for (const dial of this.#unanswered) if (dial.address === address) this.later(dial.attempt);
    this.#unanswered = this.#unanswered.filter((dial) => dial.address !== address);
  }

  listen(address: string, _options: unknown, onStream: (stream: Stream) => void): Promise<Listener> {
    const bound = address === "sim://*" ? `sim://any-${++this.#names}` : address;
    return new Promise((resolve, reject) => {
      this.later(() => {
        if (this.listeners.has(bound)) {
          reject(new ZmqError("EADDRINUSE", undefined, { address }));
          return;
        }
        this.listeners.set(bound, onStream);
        const close = async (): Promise<void> => {
          this.listeners.delete(bound);
        };
        resolve({ address: bound, close });
      });
    });
  }

  link(): { near: SimulatedStream; far: SimulatedStream } {
    const number = this.streams.length / 2 + 1;
    const near = new SimulatedStream(this, `sim://listener-${number}`);
    const far = new SimulatedStream(this, `sim://dialler-${number}`);
    near.other = far;
    far.other = near;
    this.streams.push(near, far);
    return { near, far };
  }

  later(action: () => void): void {
    this.#actions.push(action);
  }

  step(): boolean {
    const action = this.#actions.shift();
    action?.();
    return action !== undefined;
  }
}

/** One end of a connection. What was written is on its way until the other end takes it. */
export class SimulatedStream implements Stream {
  readonly remoteAddress: string;
  other!: SimulatedStream;
  readonly #network: Network;
  #handler: StreamHandler | null = null;
  #outgoing: Uint8Array[] = [];
  #inFlight = 0;
  #full = false;
  #isPaused = false;
  #stalled = false;
  #phase: "open" | "ending" | "broken" | "over" = "open";
  #end: { cause: Error | null } | null = null; // came while we were paused
  writes = 0;

  constructor(network: Network, remoteAddress: string) {
    this.#network = network;
    this.remoteAddress = remoteAddress;
  }

  get isOver(): boolean {
    return this.#phase === "over";
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Bytes that this end wrote and the other has not taken. */
  get inFlight(): number {
    return this.#inFlight;
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== "open") return false;
    this.writes += 1;
    for (const chunk of chunks) {
      this.#outgoing.push(chunk);
      this.#inFlight += chunk.length;
    }
    this.#network.later(() => this.#deliver());
    if (this.#inFlight > this.#network.capacity) this.#full = true;
    return !this.#full;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#network.later(() => {
      this.other.#deliver();
      if (this.#end !== null && this.other.#inFlight === 0) this.#over(this.#end.cause);
    });
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ending";
    this.resume();
    this.#network.later(() => this.#deliver());
  }

  destroy(): void {
    if (this.#phase === "broken" || this.#phase === "over") return;
    this.#phase = "ending";
    this.#outgoing = [];
    this.#inFlight = 0;
    this.#network.later(() => {
      this.#over(null);
      this.other.#endComes(null);
    });
  }

  // What a test does to the connection

  /** Nothing that this end writes arrives any more, nor does its end. */
  stall(): void {
    this.#stalled = true;
  }

  unstall(): void {
    this.#stalled = false;
    this.#network.later(() => this.#deliver());
  }

  /** The connection breaks: what is on its way is lost. */
  reset(): void {
    const cause = new ZmqError("ECONNRESET", "read ECONNRESET");
    for (const end of [this, this.other]) {
      if (end.#phase === "over") continue;
      end.#phase = "broken";
      end.#outgoing = [];
      end.#inFlight = 0;
      end.#network.later(() => end.#endComes(cause));
    }
  }

  #deliver(): void {
    const { other } = this;
    if (this.#stalled || this.#phase === "broken" || this.#phase === "over") return;
    if (this.#inFlight > 0 && (other.#phase !== "open" || !other.#isPaused)) {
      const { maxChunk, sim } = this.#network;
      const size =
        maxChunk === Number.POSITIVE_INFINITY
          ? this.#inFlight
          : Math.min(this.#inFlight, 1 + Math.floor(sim.random() * maxChunk));
      const chunk = this.#shift(size);
      this.#inFlight -= size;
      if (this.#inFlight > 0) this.#network.later(() => this.#deliver());
      if (other.#phase === "open") other.#handler?.onData(chunk);
      if (this.#full && this.#inFlight <= this.#network.capacity / 2) this.#drained();
    }
    if (this.#inFlight > 0 || other.#isPaused) return;
    if (other.#end !== null) other.#over(other.#end.cause);
    if (this.#phase !== "ending") return;
    other.#endComes(null);
    this.#network.later(() => this.#over(null));
  }

  /** The next bytes on their way, as a chunk of its own. */
  #shift(size: number): Uint8Array {
    const chunk = Buffer.allocUnsafe(size);
    let [at, taken] = [0, 0];
    while (at < size) {
      const first = this.#outgoing[taken] as Uint8Array;
      const length = Math.min(first.length, size - at);
      chunk.set(length < first.length ? first.subarray(0, length) : first, at);
      at += length;
      if (length < first.length) this.#outgoing[taken] = first.subarray(length);
      else taken += 1;
    }
    if (taken > 0) this.#outgoing = this.#outgoing.slice(taken);
    return chunk;
  }

  #drained(): void {
    this.#full = false;
    if (this.#phase === "open") this.#handler?.onDrain();
  }

  /** The other end has closed: told when everything before it was read. */
  #endComes(cause: Error | null): void {
    if (this.#phase === "over") return;
    if ((this.#isPaused || this.other.#inFlight > 0) && cause === null && this.#phase === "open")
      this.#end = { cause };
    else this.#over(cause);
  }

  #over(cause: Error | null): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#handler?.onEnd(cause);
  }
}
