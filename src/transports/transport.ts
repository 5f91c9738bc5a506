import type { ZmqError } from "../errors.ts";

/**
 * What a transport offers: bytes in order, both ways, and nothing of what they mean.
 *
 * A stream, a listener and a dial never keep the process alive by themselves: whoever waits for them says so.
 */

/** An open connection. All methods are harmless once it has ended. */
export interface Stream {
  /** The peer's address as an endpoint, e.g. `tcp://127.0.0.1:50112`; for ipc the path that was bound or dialled. */
  readonly remoteAddress: string;
  /** Starts the flow of events. Called once, before the turn in which the stream was handed over is left. */
  start(handler: StreamHandler): void;
  /**
   * Sends a batch of chunks in one go. They belong to the stream until written: do not change them.
   * @returns `false` when the stream is full: everything was taken, but hold further bytes back until `onDrain`. Also when
   *   either end has closed: the bytes are lost, and `onEnd` comes instead.
   */
  write(chunks: readonly Uint8Array[]): boolean;
  /** Everything was written: the chunks are the sender's again. Absent when the stream cannot tell. */
  readonly isDrained?: boolean;
  /** Stops and restarts reading, so that TCP pushes back on the peer. A chunk may still come after `pause`. */
  pause(): void;
  resume(): void;
  /** Writes out what was handed over, then closes. `onEnd` follows. */
  end(): void;
  /** Closes at once; what was not written yet is lost. `onEnd` follows. */
  destroy(): void;
}

export interface StreamHandler {
  /** Received bytes. The chunk is the handler's own: it is never written to again. */
  onData(chunk: Uint8Array): void;
  /** Takes in, instead of `onData`, what a stream can read without memory of its own for each chunk. */
  readonly reader?: StreamReader;
  /** The stream can take bytes again, after a `write` that returned `false`. */
  onDrain(): void;
  /** The last event, exactly once. `cause` is null when the peer closed in good order, or we did. */
  onEnd(cause: Error | null): void;
}

export interface StreamReader {
  /** Memory of at least `least` bytes that the next bytes are to be written to; null: there is none. */
  space(least: number): Uint8Array | null;
  /** So many bytes came and were written to the start of `space`. */
  onFilled(size: number): void;
  /** Received bytes. The chunk is the reader's only during the call. */
  onLentData(chunk: Uint8Array): void;
}

export interface Listener {
  /** The address really bound, as an endpoint: the port chosen for `*`, the path made for `ipc://*`. */
  readonly address: string;
  /** Stops listening; accepted streams live on. Resolves when the address is free again. Never rejects. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Use IPv6 too: names resolve to either family and `*` binds dual-stack. Default false. */
  ipv6: boolean;
  /** Pending connections that the kernel queues for a listener. */
  backlog: number;
  /** ms until a dial is given up; 0: when the system gives up. */
  connectTimeout: number;
  /** TCP keep-alive: -1 the transport's default (on), 0 off, 1 on. */
  tcpKeepalive: -1 | 0 | 1;
  /** Seconds of silence before the first keep-alive probe; -1: the system's. */
  tcpKeepaliveIdle: number;
}

export interface Dial {
  /** Gives up; the callback will not be called any more. */
  cancel(): void;
}

export interface Transport {
  /** A dial is answered at once, one way or the other. */
  readonly dialsAtOnce?: boolean;
  /**
   * Checks an address without touching the network and throws a ZmqError (EINVAL, ENAMETOOLONG...) when it is no
   * endpoint to dial or to bind.
   */
  check(address: string, purpose: "bind" | "connect"): void;
  /**
   * Tries once to connect; names are resolved anew each time. `done` is called once, never before `dial` has returned,
   * with a stream or with an error.
   */
  dial(
    address: string,
    options: TransportOptions,
    done: (error: Error | null, stream: Stream | null) => void,
  ): Dial;
  /**
   * Binds. @throws {ZmqError} by rejection, with the system's code: EADDRINUSE, EADDRNOTAVAIL, ENODEV, EACCES...
   * @param onError a connection could not be taken in, with the system's code: ENOBUFS, ENOMEM...
   */
  listen(
    address: string,
    options: TransportOptions,
    onStream: (stream: Stream) => void,
    onError?: (error: ZmqError) => void,
  ): Promise<Listener>;
}
