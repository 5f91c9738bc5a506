import type { ZmqError } from "../../errors.ts";
import type { Argument } from "../protocol/encoder.ts";
import { ReplyError } from "../protocol/errors.ts";
import type { RespPush } from "../protocol/values.ts";

/** Said of channels' slots: one has moved away, nobody serves it, there are several. Never to a PING. */
const OF_SLOT: ReadonlySet<string> = new Set(["MOVED", "CLUSTERDOWN", "CROSSSLOT"]);

/**
 * The PING behind a command that is answered by pushes, one for each channel, or by one error. Replies come
 * in order: the one behind these is the PING's, whatever it says (NOPERM, LOADING, BUSY...), and ends the
 * command.
 */
export class Fence {
  /** Of the pushes that answer the command. */
  readonly #kind: string;
  readonly #done: (error: ZmqError | null) => void;
  #pushesDue: number;
  #refusal: ReplyError | null = null;

  /** @param command (UN)SUBSCRIBE and the like, with at least one channel. */
  constructor(command: readonly Argument[], done: (error: ZmqError | null) => void) {
    this.#kind = String(command[0]).toLowerCase();
    this.#pushesDue = command.length - 1;
    this.#done = done;
  }

  /** A push came while it was waited for. */
  onPush({ kind }: RespPush): void {
    if (kind === this.#kind) this.#pushesDue -= 1;
  }

  /**
   * An error came while it was waited for.
   * @returns whether it answers the command, and the PING's answer is still to come.
   */
  takes(error: ReplyError): boolean {
    if (this.#refusal !== null) return false;
    // The server may have ended the subscriptions by itself: its pushes for that look like the answer.
    if (this.#pushesDue <= 0 && !OF_SLOT.has(error.code)) return false;
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
