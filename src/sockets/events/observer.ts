import { ZmqError } from "../../errors.ts";
import { Emitter } from "../../runtime/emitter.ts";
import { Fifo } from "../../runtime/fifo.ts";
import { coreOf } from "../core.ts";
import type { Socket } from "../socket.ts";
import type { SocketEvent, SocketEvents } from "./events.ts";
import type { Monitor } from "./monitor.ts";

/** Events that wait to be received; beyond, the oldest goes. */
const MAX_WAITING = 1000;

interface Reader {
  resolve(event: SocketEvent): void;
  reject(error: unknown): void;
  release(): void;
}

/**
 * Tells what happens to a socket's connections: {@link SocketEvents}. `socket.events` is one, and is all that most need.
 *
 * It is used in one of two ways. With `on`, `once` and `off`, listeners are called as things happen; one that throws does so as
 * an uncaught exception and disturbs nothing. Or, as long as none of those was called, with `receive` or `for await`.
 *
 * What happens before it is made is not told; what happens between then and the first listener or `receive` is kept, up to
 * 1000 events, and beyond that the latest 1000. Listening never changes what a socket does.
 */
export class Observer {
  readonly #monitor: Monitor;
  readonly #hear = (event: SocketEvent): void => this.#tell(event);
  readonly #waiting = new Fifo<SocketEvent>();
  #emitter: Emitter<SocketEvents> | null = null;
  #reader: Reader | null = null;
  #closed = false;

  /** @throws {TypeError} for what is no socket. */
  constructor(socket: Socket) {
    this.#monitor = coreOf(socket).events;
    if (this.#monitor.isOver) this.#closed = true;
    else this.#monitor.add(this.#hear);
  }

  /** `end` has been taken, by listeners or by `receive`, or `close` was called: there will be nothing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Calls the listener for each event of this type, from within what happens. Events that were kept follow at the end of the turn.
   *
   * @throws {TypeError} when the listener is no function. @throws {ZmqError} EBUSY while a `receive` waits.
   */
  on<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): this {
    this.#emit().on(type, listener);
    return this;
  }

  /** As `on`, for the next event of this type only. */
  once<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): this {
    this.#emit().once(type, listener);
    return this;
  }

  /** Takes a listener away. */
  off<Type extends keyof SocketEvents>(type: Type, listener: (event: SocketEvents[Type]) => void): this {
    this.#emit().off(type, listener);
    return this;
  }

  /**
   * The next event; keeps the process alive until it comes. The last one is `{ type: "end" }`, when the socket has been closed.
   *
   * @throws {Error} at once, when `on`, `once` or `off` was called before. @throws {ZmqError} at once: EBUSY while another
   *   `receive` waits, EBADF when this is closed. By rejection: EBADF when it is closed meanwhile.
   */
  receive(): Promise<SocketEvent> {
    if (this.#emitter !== null) {
      throw new Error(
        "Observer is in event emitter mode. After a call to events.on() it is not possible to read events with events.receive().",
      );
    }
    if (this.#closed) throw new ZmqError("EBADF");
    this.#assertNoReader();
    const event = this.#waiting.shift();
    if (event !== undefined) return Promise.resolve(this.#taken(event));
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject, release: this.#monitor.environment.hold() };
    });
  }

  /** Every event, `end` included; ends after that, and when this is closed. Leaving the loop closes nothing. */
  [Symbol.asyncIterator](): AsyncIterator<SocketEvent, undefined> {
    return { next: () => this.#next() };
  }

  /** Lets go of the socket, which lives on: no listener is called any more, and what waits to be received is dropped. */
  close(): void {
    this.#finish();
    this.#waiting.clear();
    const reader = this.#takeReader();
    reader?.reject(new ZmqError("EBADF"));
  }

  async #next(): Promise<IteratorResult<SocketEvent, undefined>> {
    if (this.#closed) return { done: true, value: undefined };
    const event = this.receive();
    try {
      return { done: false, value: await event };
    } catch {
      return { done: true, value: undefined }; // closed meanwhile
    }
  }

  /** Something has happened. */
  #tell(event: SocketEvent): void {
    if (this.#closed) return;
    if (this.#emitter !== null && this.#waiting.length === 0) {
      this.#emitter.emit(this.#taken(event));
      return;
    }
    const reader = this.#takeReader();
    if (reader !== null) {
      reader.resolve(this.#taken(event));
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  #taken(event: SocketEvent): SocketEvent {
    if (event.type === "end") this.#finish();
    return event;
  }

  #finish(): void {
    this.#closed = true;
    this.#monitor.remove(this.#hear);
  }

  #emit(): Emitter<SocketEvents> {
    if (this.#emitter !== null) return this.#emitter;
    this.#assertNoReader();
    this.#emitter = new Emitter(this.#monitor.environment);
    if (this.#waiting.length > 0) this.#monitor.environment.endOfTurn(() => this.#emitWaiting());
    return this.#emitter;
  }

  #emitWaiting(): void {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift())
      this.#emitter?.emit(this.#taken(event));
  }

  #takeReader(): Reader | null {
    const reader = this.#reader;
    this.#reader = null;
    reader?.release();
    return reader;
  }

  #assertNoReader(): void {
    if (this.#reader === null) return;
    const message = "Observer is busy reading; only one receive operation may be in progress at any time";
    throw new ZmqError("EBUSY", message);
  }
}
