import type { ZmqError } from "../../errors.ts";
import { ReplyError } from "../protocol/errors.ts";

/** With these a server refuses a PING, but never a command of pub/sub. */
const OF_PING = new Set(["LOADING", "MASTERDOWN", "MISCONF"]);

/** The PING behind a command that is answered by pushes. */
export class Fence {
  readonly #done: (error: ZmqError | null) => void;
  #refusal: ReplyError | null = null;

  constructor(done: (error: ZmqError | null) => void) {
    this.#done = done;
  }

  /** An error came while it was waited for. @returns false: it is the answer to the PING. */
  refuse(error: ReplyError, pingRefusal: string | null): boolean {
    if (this.#refusal !== null || error.message === pingRefusal || OF_PING.has(error.code)) return false;
    this.#refusal = error;
    return true;
  }

  resolve(): void {
    this.#done(this.#refusal);
  }

  reject(error: ZmqError): void {
    this.#done(error instanceof ReplyError ? this.#refusal : error);
  }
}
