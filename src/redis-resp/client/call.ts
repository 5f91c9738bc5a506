import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import type { Reply } from "../connection/connection.ts";
import type { RespValue } from "../protocol/values.ts";

export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason. What was sent already may be carried out all the same. */
  signal?: AbortSignal;
}

/** The calls of a client that are not settled yet. While there are any, the process lives. */
export class Calls {
  readonly #environment: Environment;
  #count = 0;
  #release: (() => void) | null = null;
  #whenNone: (() => void) | null = null;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get count(): number {
    return this.#count;
  }

  begin(): void {
    if (this.#count === 0) this.#release = this.#environment.hold();
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#release?.();
    this.#whenNone?.();
  }

  /** Resolves when there are none. */
  async done(): Promise<void> {
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#whenNone = resolve;
      });
    }
  }
}

/** As methods, so that a call for whatever result passes as a `Call<unknown>`. */
interface Settle<T> {
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** One command and who waits for its reply. */
export class Call<T> implements Reply {
  readonly #calls: Calls;
  readonly #read: (reply: RespValue) => T;
  readonly #resolve: Settle<T>["resolve"];
  readonly #reject: Settle<T>["reject"];
  readonly #forget: (() => void) | null;
  isSettled = false;

  constructor(
    calls: Calls,
    read: (reply: RespValue) => T,
    resolve: Settle<T>["resolve"],
    reject: Settle<T>["reject"],
    signal: AbortSignal | undefined,
  ) {
    this.#calls = calls;
    this.#read = read;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#forget = signal === undefined ? null : onAbort(signal, () => this.reject(signal.reason));
    calls.begin();
  }

  resolve(reply: RespValue): void {
    if (this.isSettled) return;
    this.#end();
    try {
      this.#resolve(this.#read(reply));
    } catch (error) {
      this.#reject(error);
    }
  }

  reject(error: unknown): void {
    if (this.isSettled) return;
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.isSettled = true;
    this.#forget?.();
    this.#calls.end();
  }
}

export function closedError(): ZmqError {
  return new ZmqError("EBADF", "closed");
}
