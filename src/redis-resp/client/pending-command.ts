import type { Environment } from "../../runtime/environment.ts";
import { onAbort } from "../../runtime/on-abort.ts";
import type { Reply } from "../connection/connection.ts";
import type { RespValue } from "../protocol/values.ts";

/** The commands of a client that are not settled yet. While there are any, the process lives. */
export class PendingCommands {
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

/** Of a promise. As methods, so that a command for whatever result passes as a `PendingCommand<unknown>`. */
interface Resolvers<T> {
  resolve(result: T): void;
  reject(error: unknown): void;
}

/** One command and who waits for its reply. */
export class PendingCommand<T> implements Reply {
  readonly #all: PendingCommands;
  readonly #read: (reply: RespValue) => T;
  readonly #resolve: Resolvers<T>["resolve"];
  readonly #reject: Resolvers<T>["reject"];
  readonly #forget: (() => void) | null;
  isSettled = false;

  constructor(
    all: PendingCommands,
    read: (reply: RespValue) => T,
    resolve: Resolvers<T>["resolve"],
    reject: Resolvers<T>["reject"],
    signal: AbortSignal | undefined,
  ) {
    this.#all = all;
    this.#read = read;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#forget = signal === undefined ? null : onAbort(signal, () => this.reject(signal.reason));
    all.begin();
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
    this.#all.end();
  }
}
