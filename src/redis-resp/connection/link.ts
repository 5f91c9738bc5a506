import { ZmqError } from "../../errors.ts";
import type { Environment, Timer } from "../../runtime/environment.ts";
import {
  createTls,
  type Dial,
  Redial,
  type Stream,
  type Transport,
  type TransportOptions,
} from "../../transports/index.ts";
import { isRefusal } from "../protocol/errors.ts";
import type { RespPush } from "../protocol/values.ts";
import { checkSecurity, endpointOf, type RedisAddress, showAddress } from "./address.ts";
import { RespConnection } from "./connection.ts";
import { shakeHands } from "./handshake.ts";
import type { Settings } from "./options.ts";

/** How connections come about, and for whom. */
export interface LinkSetup {
  readonly environment: Environment;
  readonly settings: Settings;
  /** Where to dial: asked anew before each attempt. May reject: the attempt has failed then. */
  readonly locate: () => RedisAddress | Promise<RedisAddress>;
  readonly handler: LinkHandler;
}

export interface LinkHandler {
  /** Ready for commands. */
  onReady(connection: RespConnection, address: string): void;
  onPush(push: RespPush): void;
  /** A connection that was ready has ended. @param retryIn ms. */
  onLost(error: ZmqError, retryIn: number, address: string): void;
  /** An attempt has failed: nobody there, or the server did not let us in. @param retryIn ms. */
  onFailed(error: ZmqError, retryIn: number): void;
}

const STREAM_OPTIONS = { ipv6: true, backlog: 0, tcpKeepalive: 1, tcpKeepaliveIdle: 30 } as const;

/**
 * Keeps one connection alive, from `start` to `close`. The first attempt after a loss is made at once, the others with growing
 * delay, up to `reconnectMaxInterval`, or to half a minute when the server refuses us.
 */
export class Link {
  readonly #setup: LinkSetup;
  readonly #transports: Readonly<Record<"tcp" | "ipc", Pick<Transport, "dial">>>;
  readonly #options: TransportOptions;
  #redial: Redial;
  #attempt: Attempt | null = null;
  /** Where we are, or try to get. */
  #address: RedisAddress | null = null;
  #isStarted = false;
  #isClosed = false;

  constructor(setup: LinkSetup) {
    const { environment, settings } = setup;
    const { tcp, ipc } = environment.transports as Record<"tcp" | "ipc", Transport>;
    this.#setup = setup;
    this.#transports = { tcp: settings.tls === null ? tcp : createTls(settings.tls), ipc };
    this.#options = { ...STREAM_OPTIONS, connectTimeout: settings.connectTimeout };
    this.#redial = this.#newRedial();
  }

  /** The one that is ready for commands. */
  get connection(): RespConnection | null {
    return this.#attempt?.isReady ? this.#attempt.connection : null;
  }

  /** Harmless when called again. */
  start(): void {
    this.#isStarted = true;
    this.#redial.start();
  }

  /** Gives up where we are, or try to get, and looks for a place anew, at once. Before `start` there is nothing to give up. */
  relocate(reason: ZmqError): void {
    if (this.#isClosed || !this.#isStarted) return;
    this.#redial.stop();
    const left = this.#leave(reason);
    this.#redial = this.#newRedial();
    if (left !== null) this.#setup.handler.onLost(reason, 0, left);
    this.#redial.start();
  }

  /** Final: the handler hears nothing more. Commands that wait are rejected. */
  close(reason: ZmqError = new ZmqError("EBADF", "closed")): void {
    this.#isClosed = true;
    this.#redial.stop();
    this.#leave(reason);
  }

  /** @returns the address, if it was ready there. */
  #leave(reason: ZmqError): string | null {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.abandon(reason);
    return attempt?.isReady ? attempt.address : null;
  }

  #newRedial(): Redial {
    const { reconnectInterval, reconnectMaxInterval } = this.#setup.settings;
    const options = { interval: reconnectInterval, maxInterval: reconnectMaxInterval, firstRetry: 1 };
    return new Redial((done) => this.#dial(done), this.#setup.environment, options, {
      onStream: (stream) => this.#begin(stream),
      onFailed: (error, retryIn) => this.#setup.handler.onFailed(asZmqError(error), retryIn as number),
    });
  }

  #dial(done: (error: Error | null, stream: Stream | null) => void): Dial {
    let dial: Dial | null = null;
    let cancelled = false;
    const locate = async (): Promise<RedisAddress> => this.#setup.locate();
    const dialled = locate().then((address) => {
      if (cancelled) return;
      checkSecurity(address, this.#setup.settings.tls !== null);
      this.#address = address;
      const transport = "path" in address ? this.#transports.ipc : this.#transports.tcp;
      dial = transport.dial(endpointOf(address), this.#options, done);
    });
    dialled.catch((error) => {
      if (!cancelled) done(error, null);
    });
    return {
      cancel() {
        cancelled = true;
        dial?.cancel();
      },
    };
  }

  #begin(stream: Stream): void {
    const { environment, settings, handler } = this.#setup;
    const attempt: Attempt = new Attempt(
      stream,
      environment,
      settings,
      showAddress(this.#address as RedisAddress),
      {
        onReady: () => {
          this.#redial.succeeded();
          handler.onReady(attempt.connection, attempt.address);
        },
        onPush: (push) => handler.onPush(push),
        onEnd: (error) => {
          this.#attempt = null;
          const isFailure = !attempt.isReady && !isRefusal(error);
          const retryIn = (isFailure ? this.#redial.failed() : this.#redial.lost()) as number;
          if (attempt.isReady) handler.onLost(error, retryIn, attempt.address);
          else handler.onFailed(error, retryIn);
        },
      },
    );
    this.#attempt = attempt;
  }
}

interface AttemptHandler {
  onReady(): void;
  onPush(push: RespPush): void;
  onEnd(error: ZmqError): void;
}

/** One connection, from the first byte on. */
class Attempt {
  readonly connection: RespConnection;
  readonly address: string;
  isReady = false;
  readonly #handler: AttemptHandler;
  readonly #timer: Timer;
  #isAbandoned = false;

  constructor(
    stream: Stream,
    environment: Environment,
    settings: Settings,
    address: string,
    handler: AttemptHandler,
  ) {
    this.address = address;
    this.#handler = handler;
    const { connectTimeout } = settings;
    this.#timer = environment.setTimer(connectTimeout, () => {
      // What came while the loop was blocked is read first.
      environment.nextTurn(() => this.#giveUp(connectTimeout));
    });
    this.connection = new RespConnection(stream, environment, settings, {
      onPush: (push) => {
        if (!this.#isAbandoned) handler.onPush(push);
      },
      onEnd: (error) => this.#ended(error),
    });
    void this.#shakeHands(settings);
  }

  /** Ends it; the handler is not told. */
  abandon(reason: ZmqError): void {
    this.#isAbandoned = true;
    this.connection.destroy(reason);
  }

  #giveUp(connectTimeout: number): void {
    if (this.isReady) return;
    const message = `the server did not let us in within ${connectTimeout} ms`;
    this.connection.destroy(new ZmqError("ETIMEDOUT", message));
  }

  async #shakeHands(settings: Settings): Promise<void> {
    try {
      await shakeHands(this.connection, settings);
    } catch (error) {
      this.connection.destroy(asZmqError(error));
      return;
    }
    if (this.connection.ended) return;
    this.#timer.cancel();
    this.isReady = true;
    this.#handler.onReady();
  }

  #ended(error: ZmqError): void {
    this.#timer.cancel();
    if (!this.#isAbandoned) this.#handler.onEnd(error);
  }
}

/** What `locate` or `credentials` rejected with may be anything. */
function asZmqError(error: unknown): ZmqError {
  if (error instanceof ZmqError) return error;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return new ZmqError(typeof code === "string" ? code : "EINVAL", String(message ?? error), { cause: error });
}
