import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import { Fifo } from "../../runtime/fifo.ts";
import type { Stream, StreamHandler } from "../../transports/index.ts";
import { RespDecoder } from "../protocol/decoder.ts";
import { type Argument, CommandWriter } from "../protocol/encoder.ts";
import { ReplyError, RespError } from "../protocol/errors.ts";
import { RespPush, type RespValue } from "../protocol/values.ts";
import { Fence } from "./fence.ts";
import { LateCommands } from "./late-commands.ts";
import type { Settings } from "./options.ts";

/** Who waits for the reply to a command. One of the two is called, once. */
export interface Reply {
  resolve(value: RespValue): void;
  reject(error: ZmqError): void;
}

export interface ConnectionHandler {
  onPush(push: RespPush): void;
  /** The last event, exactly once: it is over, by the server's doing, ours, or a broken rule. */
  onEnd(error: ZmqError): void;
}

/** Bytes that wait for the end of the turn at most: the server works on them while the next are made. */
const JOINED = 16_384;
const PING: readonly Argument[] = ["PING"];

/**
 * One connection: commands out, in order, replies in, in the same order, pushes in between. Thrown away whole when it ends.
 *
 * The first command after a pause leaves at once, the others together at the end of the turn. All deadlines share one timer.
 */
export class RespConnection implements StreamHandler {
  readonly #stream: Stream;
  readonly #environment: Environment;
  readonly #settings: Settings;
  readonly #handler: ConnectionHandler;
  readonly #decoder: RespDecoder;
  readonly #writer: CommandWriter;
  readonly #waiting = new Fifo<Reply>();
  /** Commands taken and answered since the beginning, and how many of them went to the stream. */
  #taken = 0;
  #sent = 0;
  #answered = 0;
  #isFull = false;
  #flushDue = false;
  readonly #onEndOfTurn = (): void => {
    this.#flushDue = false;
    if (this.#writer.size > 0) this.#flush();
  };
  #protocol: 2 | 3 = 2;
  #lastHeard: number;
  #pingedAt: number | null = null;
  #timer: Timer | null = null;
  #wakeAt = Number.POSITIVE_INFINITY;
  readonly #late: LateCommands;
  #end: ZmqError | null = null;

  constructor(stream: Stream, environment: Environment, settings: Settings, handler: ConnectionHandler) {
    this.#stream = stream;
    this.#environment = environment;
    this.#settings = settings;
    this.#handler = handler;
    this.#decoder = new RespDecoder({
      maxBulk: settings.maxBulk,
      view: environment.view,
      allocate: environment.allocate,
    });
    this.#writer = new CommandWriter(environment);
    this.#late = new LateCommands(settings.commandTimeout);
    this.#lastHeard = environment.now();
    stream.start(this);
    this.#watchTime();
  }

  /** The protocol in force, 2 until HELLO has said otherwise. */
  get protocol(): 2 | 3 {
    return this.#protocol;
  }

  set protocol(protocol: 2 | 3) {
    this.#protocol = protocol;
  }

  get ended(): boolean {
    return this.#end !== null;
  }

  /** When the server gave its last sign of life: a byte, or an end of its making. */
  get lastHeard(): number {
    return this.#lastHeard;
  }

  /** Commands that wait for their reply. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** RESP2: from now on arrays are pushes. To be called before the first subscription. */
  enterSubscriberMode(): void {
    if (this.#protocol === 2) this.#decoder.arraysArePushes = true;
  }

  /**
   * Sends a command. The reply is rejected with ENOBUFS when too much waits, and when the connection ends: with EUNKNOWN if the
   * command may have been carried out, with the connection's error if it has not been sent.
   *
   * @param args what `checkArguments` has passed; bytes must not be changed until the reply has come.
   */
  request(args: readonly Argument[], reply: Reply): void {
    if (this.#end !== null) {
      reply.reject(this.#end);
      return;
    }
    const { maxQueuedCommands, maxQueuedBytes } = this.#settings;
    if (this.#waiting.length >= maxQueuedCommands || this.#writer.size >= maxQueuedBytes) {
      reply.reject(new ZmqError("ENOBUFS", "too many commands wait"));
      return;
    }
    const wasIdle = this.#waiting.length === 0;
    this.#write(args, reply);
    if (wasIdle || this.#writer.size >= JOINED) this.#flush();
    else this.#flushSoon();
  }

  /**
   * Sends a command that is answered by a push for each argument or by one error, and a PING behind it, whose
   * answer ends it: whatever comes before belongs to the command (valkey#1066: an error that comes late must
   * not count as the reply to another).
   *
   * @param done called once. Null: not refused. A {@link ReplyError}: refused. Any other: as of a request.
   */
  fenced(args: readonly Argument[], done: (error: ZmqError | null) => void): void {
    if (this.#end !== null) {
      done(this.#end);
      return;
    }
    this.#write(args, null);
    this.#write(PING, new Fence(args, done));
    this.#flushSoon();
  }

  /** Ends it at once. */
  destroy(error: ZmqError = new ZmqError("ECONNABORTED", "the connection was closed on this side")): void {
    this.#finish(error);
  }

  onData(chunk: Uint8Array): void {
    if (this.#end !== null) return;
    this.#lastHeard = this.#environment.now();
    this.#pingedAt = null;
    try {
      this.#decoder.push(chunk);
      while (this.#end === null) {
        const value = this.#decoder.next();
        if (value === undefined) break;
        if (value instanceof RespPush) this.#onPush(value);
        else this.#onReply(value);
      }
    } catch (error) {
      if (!(error instanceof RespError)) throw error;
      this.#finish(error);
    }
  }

  onDrain(): void {
    this.#isFull = false;
    if (this.#writer.size > 0) this.#flush();
  }

  onEnd(cause: Error | null): void {
    const error = lossOf(cause, this.#decoder.isPartial);
    if (cause === null || error.code === "ECONNRESET") this.#lastHeard = this.#environment.now();
    this.#finish(error);
  }

  #onPush(push: RespPush): void {
    if (push.kind === "pong" && this.#decoder.arraysArePushes) {
      this.#onReply("PONG");
      return;
    }
    if (this.#waiting.length > 0) {
      const reply = this.#waiting.peek();
      if (reply instanceof Fence) reply.onPush(push);
    }
    this.#handler.onPush(push);
  }

  #onReply(value: RespValue): void {
    const reply = this.#waiting.peek();
    if (reply === undefined) {
      this.#onUnasked(value);
      return;
    }
    if (reply instanceof Fence && value instanceof ReplyError && reply.takes(value)) return;
    this.#waiting.shift();
    this.#answered += 1;
    if (value instanceof ReplyError) reply.reject(value);
    else reply.resolve(value);
  }

  /** An error is what a server says before it closes: too many clients, a command that is none. */
  #onUnasked(value: RespValue): void {
    this.#finish(value instanceof ReplyError ? value : new ZmqError("EPROTO", "a reply to no command"));
  }

  /** @param reply null: none comes, but what the fence behind it takes in. */
  #write(args: readonly Argument[], reply: Reply | null): void {
    this.#writer.writeChecked(args);
    if (reply === null) return;
    this.#waiting.push(reply);
    this.#taken += 1;
  }

  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#environment.endOfTurn(this.#onEndOfTurn);
  }

  #flush(): void {
    if (this.#end !== null) return;
    if (this.#settings.commandTimeout > 0) {
      this.#late.sent(this.#environment.now(), this.#taken);
      this.#watchTime();
    }
    if (this.#isFull) return;
    this.#sent = this.#taken;
    this.#isFull = !this.#stream.write(this.#writer.take());
    if (this.#stream.isDrained) this.#writer.rewind();
  }

  /** One timer for all deadlines: it is set anew only when it would come too late. */
  #watchTime(): void {
    const wakeAt = Math.min(this.#silenceEnds(), this.#late.nextAt(this.#answered));
    if (wakeAt >= this.#wakeAt) return;
    this.#timer?.cancel();
    this.#wakeAt = wakeAt;
    const wait = Math.max(1, Math.ceil(wakeAt - this.#environment.now()));
    this.#timer = this.#environment.setTimer(wait, () => {
      // What came while the loop was blocked is read first: it may be what we wait for.
      this.#environment.nextTurn(() => this.#tick());
    });
  }

  #tick(): void {
    if (this.#end !== null) return;
    const now = this.#environment.now();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    if (now >= this.#silenceEnds()) {
      if (this.#pingedAt !== null) {
        const { pingTimeout } = this.#settings;
        this.#finish(new ZmqError("ETIMEDOUT", `no answer to a PING within ${pingTimeout} ms`));
        return;
      }
      this.#pingedAt = now;
      this.request(PING, IGNORED);
    }
    this.#rejectLate(now);
    this.#watchTime();
  }

  /** When the server's silence has to be looked into. */
  #silenceEnds(): number {
    const { pingInterval, pingTimeout } = this.#settings;
    if (pingInterval === 0) return Number.POSITIVE_INFINITY;
    return this.#pingedAt === null ? this.#lastHeard + pingInterval : this.#pingedAt + pingTimeout;
  }

  /** Their replies may still come: someone who does not mind waits for them. */
  #rejectLate(now: number): void {
    const { from, to } = this.#late.take(now, this.#answered);
    if (from === to) return;
    const { commandTimeout } = this.#settings;
    const error = unknownFate(new ZmqError("ETIMEDOUT", `no reply within ${commandTimeout} ms`));
    for (let number = from; number < to && this.#end === null; number += 1) {
      const index = number - this.#answered;
      const reply = this.#waiting.at(index) as Reply;
      // The end of a fence is not for time to say: the PING's own deadline holds.
      if (reply instanceof Fence) continue;
      this.#waiting.set(index, IGNORED);
      reply.reject(error);
    }
  }

  #finish(error: ZmqError): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#timer?.cancel();
    this.#stream.destroy();
    const unknown = unknownFate(error);
    let sent = this.#sent - this.#answered;
    for (let reply = this.#waiting.shift(); reply !== undefined; reply = this.#waiting.shift()) {
      reply.reject(sent > 0 ? unknown : error);
      sent -= 1;
    }
    this.#handler.onEnd(error);
  }
}

/** Nobody waits. */
const IGNORED: Reply = { resolve() {}, reject() {} };

/** A command was sent, and the connection ended before its reply. */
function unknownFate(cause: ZmqError): ZmqError {
  return new ZmqError(
    "EUNKNOWN",
    `sent, but not answered, so it may have been carried out: ${cause.message}`,
    {
      cause,
    },
  );
}

/** Of what only asks: it does not matter whether it was carried out, but why there is no answer. */
export function whyUnanswered(error: ZmqError): ZmqError {
  const { code, cause } = error;
  return code === "EUNKNOWN" && cause instanceof ZmqError ? cause : error;
}

function lossOf(cause: Error | null, isPartial: boolean): ZmqError {
  if (cause instanceof ZmqError) return cause;
  const code = (cause as { code?: string } | null)?.code ?? "ECONNRESET";
  const where = isPartial ? " in the middle of a value" : "";
  return new ZmqError(code, cause?.message ?? `the server closed the connection${where}`, { cause });
}
