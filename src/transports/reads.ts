import { Socket as NetSocket, type SocketConstructorOpts } from "node:net";

/** Bytes read at once into memory that all sockets share. */
const SHARED_SIZE = 65_536;

/**
 * All sockets read into the same memory, one after the other: libuv reads when there is something to read, and calls back
 * before it reads for another. On Windows, and perhaps in Bun and Deno, a read may wait with its memory: not there.
 */
const CAN_SHARE =
  process.platform !== "win32" && !("bun" in process.versions) && !("deno" in process.versions);

let shared: Uint8Array | null = null;

/** Who gets what a socket reads. */
export interface ReadTarget {
  /** Memory of at least `least` bytes to read into; null: the shared one. */
  space(least: number): Uint8Array | null;
  /** So many bytes were read into `space`. */
  onFilled(size: number): void;
  /** Bytes in the shared memory, there during the call. */
  onLentData(chunk: Uint8Array): void;
}

/**
 * A socket whose reads go where its target says, instead of each into 64 KiB of its own (the option `onread`, which only a
 * socket that dials can have). What comes while there is no target is dropped.
 */
export class DialledSocket extends NetSocket {
  readonly #reads: Reads;

  constructor(options: SocketConstructorOpts) {
    const reads = new Reads();
    // @types/node has the option at `connect` only.
    super({ ...options, onread: reads.option } as SocketConstructorOpts);
    this.#reads = reads;
  }

  set target(target: ReadTarget) {
    this.#reads.target = target;
  }
}

/** A socket that is not connected yet. */
export function newSocket(options: SocketConstructorOpts): NetSocket {
  return CAN_SHARE ? new DialledSocket(options) : new NetSocket(options);
}

class Reads {
  target: ReadTarget | null = null;
  readonly option: { buffer: () => Uint8Array; callback: (size: number) => boolean };
  #into: Uint8Array | null = null;

  constructor() {
    this.option = { buffer: () => this.#next(), callback: (size) => this.#read(size) };
  }

  /** Where the next read goes. */
  #next(): Uint8Array {
    shared ??= Buffer.allocUnsafeSlow(SHARED_SIZE);
    this.#into = this.target?.space(SHARED_SIZE) ?? null;
    return this.#into ?? shared;
  }

  #read(size: number): boolean {
    if (this.#into !== null) this.target?.onFilled(size);
    else this.target?.onLentData((shared as Uint8Array).subarray(0, size));
    return true;
  }
}
