import type { Transport } from "../transports/transport.ts";

/** A deadline that was set. It never keeps the process alive. */
export interface Timer {
  cancel(): void;
}

/** A named channel of node:diagnostics_channel, or a stand-in for it. */
export interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/**
 * All that the sockets need of the runtime they run in. The entry fills it in for Node; tests fill in another, with a
 * simulated network and a clock of their own.
 */
export interface Environment {
  /** By scheme, without `://`. */
  readonly transports: Readonly<Record<string, Transport>>;
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  setTimer(milliseconds: number, callback: () => void): Timer;
  /** Runs the callback when the running turn, its promise jobs included, is over: before any further I/O. */
  endOfTurn(callback: () => void): void;
  /** Runs the callback after the event loop has had a look at timers and I/O. */
  nextTurn(callback: () => void): void;
  /** In [0, 1). */
  random(): number;
  /** Memory that may hold anything. On Node a Buffer. */
  allocate(size: number): Uint8Array;
  /** The same, of bytes on their way out, which no user gets to see. */
  allocateUnseen(size: number): Uint8Array;
  /** UTF-8 bytes of a text. On Node a Buffer. */
  encodeText(text: string): Uint8Array;
  /**
   * The same into memory of `allocateUnseen`, from `at` on, where there is room for three bytes for each of the text's
   * characters. @returns how many bytes it took.
   */
  writeText(text: string, memory: Uint8Array, at: number): number;
  /** Memory as users get to see it. On Node a Buffer. */
  view(memory: ArrayBufferLike, offset: number, length: number): Uint8Array;
  /** The same of bytes that may be shown like that already. */
  show(bytes: Uint8Array): Uint8Array;
  /** Keeps the process alive until the function returned is called. */
  hold(): () => void;
  /** Tells the program, which may choose to listen or not. */
  warn(message: string): void;
  /** Tells whoever looks at the process, at once. */
  tell(message: string): void;
  /** Calls back whenever the process has nothing left to do and would end, until the function returned is called. */
  onIdle(callback: () => void): () => void;
  channel(name: string): Channel;
}
