import type { Socket, SocketConstructorOpts } from "node:net";
import { DialledSocket, newSocket, type ReadTarget } from "./reads.ts";
import type { Stream, StreamHandler } from "./transport.ts";

/** What a stream takes before `write` says that it is full, and what it reads ahead, in bytes. */
export const HIGH_WATER_MARK = 65_536;

/**
 * ms for which a stream that has written everything, or whose peer has closed, waits for the other half of the
 * closing. Closing with received bytes unread, or while more come in, makes TCP reset the connection and throw away
 * what the peer has not got yet; so they are read and dropped, but not for ever.
 */
const CLOSING_TIME = 1000;

/** A socket that is not connected yet, with the settings that all our sockets have. */
export function createSocket(): Socket {
  const options: SocketConstructorOpts & { highWaterMark: number } = {
    allowHalfOpen: false,
    highWaterMark: HIGH_WATER_MARK,
  };
  return newSocket(options).unref();
}

/** A connected TCP or Unix socket. It has the socket to itself from the constructor on. */
export class NetStream implements Stream, ReadTarget {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #handler: StreamHandler | null = null;
  #phase: "open" | "flushing" | "closing" | "closed" = "open";
  #cause: Error | null = null;
  #closingTimer: NodeJS.Timeout | null = null;

  constructor(socket: Socket, remoteAddress: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    socket.unref();
    socket.on("error", (error) => this.#fail(error));
    socket.on("finish", () => this.#enterClosing());
    socket.on("end", () => {
      // While flushing there may still be something that the peer reads.
      if (this.#phase === "open") this.#enterClosing();
    });
    socket.on("close", () => this.#enterClosed());
  }

  start(handler: StreamHandler): void {
    this.#handler = handler;
    if (this.#phase === "closed") {
      process.nextTick(() => handler.onEnd(this.#cause));
      return;
    }
    this.#socket.on("drain", () => {
      if (this.#phase === "open") handler.onDrain();
    });
    if (this.#socket instanceof DialledSocket) this.#socket.target = this;
    // A socket that reads into memory that it is given has no such event; listening starts its reads too.
    this.#socket.on("data", (chunk: Uint8Array) => {
      if (this.#phase === "open") handler.onData(chunk);
    });
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (this.#phase !== "open" || !socket.writable) return false;
    if (chunks.length === 1) {
      socket.write(chunks[0] as Uint8Array);
    } else {
      // All chunks in one writev.
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    }
    // Not `writableNeedDrain`, which is set for a chunk of that size even if the system has taken it all at once.
    return socket.writableLength < HIGH_WATER_MARK;
  }

  get isDrained(): boolean {
    return this.#socket.writableLength === 0;
  }

  space(least: number): Uint8Array | null {
    return this.#phase === "open" ? (this.#handler?.reader?.space(least) ?? null) : null;
  }

  onFilled(size: number): void {
    if (this.#phase === "open") this.#handler?.reader?.onFilled(size);
  }

  onLentData(chunk: Uint8Array): void {
    if (this.#phase !== "open" || this.#handler === null) return;
    const { reader } = this.#handler;
    if (reader === undefined) this.#handler.onData(Buffer.from(chunk));
    else reader.onLentData(chunk);
  }

  pause(): void {
    if (this.#phase === "open") this.#socket.pause();
  }

  resume(): void {
    if (this.#phase === "open") this.#socket.resume();
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "flushing";
    this.#socket.resume();
    this.#socket.end();
  }

  destroy(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closing";
    this.#socket.destroy();
  }

  /** Only what ends the stream counts as its cause, not what happens to it afterwards. */
  #fail(error: Error): void {
    if (this.#phase === "open" || this.#phase === "flushing") this.#cause = error;
    this.#phase = "closing";
  }

  /** One half is closed; node:net closes the other. */
  #enterClosing(): void {
    if (this.#phase === "closed" || this.#closingTimer !== null) return;
    this.#phase = "closing";
    this.#closingTimer = setTimeout(() => this.#socket.destroy(), CLOSING_TIME).unref();
  }

  #enterClosed(): void {
    this.#phase = "closed";
    if (this.#closingTimer !== null) clearTimeout(this.#closingTimer);
    this.#handler?.onEnd(this.#cause);
  }
}
