import { channel } from "node:diagnostics_channel";
import { ipc, tcp } from "../transports/index.ts";
import type { Environment } from "./environment.ts";

/** Far beyond any use, and as long as a timer can be. */
const FOR_EVER = 2 ** 31 - 1;

/**
 * The class of Buffers: what `Buffer.from(memory, offset, length)` and `subarray` end up making, after checks that take two
 * thirds of their time.
 */
const BufferView = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species] as new (
  memory: ArrayBufferLike,
  offset: number,
  length: number,
) => Buffer;

/** The sockets' environment on Node, and on what has Node's modules: Bun, Deno. */
export function nodeEnvironment(): Environment {
  const pool = new Pool();
  return {
    transports: { tcp, ipc },
    now: () => performance.now(),
    setTimer(milliseconds, callback) {
      const timer = setTimeout(callback, milliseconds);
      timer.unref();
      return { cancel: () => clearTimeout(timer) };
    },
    endOfTurn: (callback) => process.nextTick(callback),
    nextTurn: (callback) => {
      setImmediate(callback);
    },
    random: Math.random,
    allocate: (size) => Buffer.allocUnsafe(size),
    allocateUnseen: (size) => (size > MOST_POOLED ? Buffer.allocUnsafeSlow(size) : pool.take(size)),
    encodeText: (text) => Buffer.from(text, "utf8"),
    writeText: (text, memory, at) => (memory as Buffer).write(text, at),
    view: (memory, offset, length) => new BufferView(memory, offset, length),
    show: (bytes) =>
      Buffer.isBuffer(bytes) ? bytes : new BufferView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    hold: () => KEEPER.hold(),
    warn: (message) => process.emitWarning(message),
    tell: (message) => {
      process.stderr.write(`(node:${process.pid}) WARNING: ${message}\n`);
    },
    onIdle: (callback) => IDLE.add(callback),
    channel,
  };
}

/** Calls back when nothing is left to do, for any number of contexts. */
class IdleWatch {
  readonly #callbacks = new Set<() => void>();
  readonly #onIdle = (): void => {
    for (const callback of [...this.#callbacks]) callback();
  };

  add(callback: () => void): () => void {
    if (this.#callbacks.size === 0) process.on("beforeExit", this.#onIdle);
    this.#callbacks.add(callback);
    return () => {
      this.#callbacks.delete(callback);
      if (this.#callbacks.size === 0) process.off("beforeExit", this.#onIdle);
    };
  }
}

const IDLE = new IdleWatch();

/** Bytes that one small Buffer, kept for long, keeps at most. */
const POOL = 16_384;
const MOST_POOLED = 4096;

/**
 * Memory for many small Buffers. As Node's own, without its checks: 45 instead of 75 ns each. Whoever got one to see could
 * transfer the memory of the others to another thread, against which Node guards its own.
 */
class Pool {
  #memory: ArrayBufferLike = new ArrayBuffer(0);
  #at = 0;

  take(size: number): Buffer {
    if (this.#at + size > this.#memory.byteLength) {
      this.#memory = Buffer.allocUnsafeSlow(POOL).buffer;
      this.#at = 0;
    }
    const taken = new BufferView(this.#memory, this.#at, size);
    // Each begins at a multiple of 8, as Node's do, for who looks at it as numbers.
    this.#at += (size + 7) & ~7;
    return taken;
  }
}

/** Keeps the process alive while anyone holds it, by a timer that counts as work: one for all, however many come and go. */
class Keeper {
  #holders = 0;
  #timer: NodeJS.Timeout | null = null;

  hold(): () => void {
    this.#holders += 1;
    this.#timer ??= setInterval(() => {}, FOR_EVER);
    this.#timer.ref();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#timer?.unref();
    };
  }
}

const KEEPER = new Keeper();
