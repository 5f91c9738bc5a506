import { mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { ZmqError } from "../../src/errors.ts";
import type {
  Dial,
  Listener,
  Stream,
  StreamHandler,
  Transport,
  TransportOptions,
} from "../../src/transports/transport.ts";

export const defaults: TransportOptions = {
  ipv6: false,
  backlog: 100,
  connectTimeout: 0,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
};

/** Whether the machine has `::1`. */
export const hasIPv6: boolean = Object.values(networkInterfaces()).some((infos) =>
  infos?.some((info) => info.address === "::1"),
);

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Runs when the test is over, the last one first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "zmtp-test-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Keeps all that a stream tells, and lets a test wait for it. */
export class Recorder implements StreamHandler {
  readonly chunks: Uint8Array[] = [];
  readonly ends: (Error | null)[] = [];
  drains = 0;
  received = 0;
  #waiters: { holds: () => boolean; resolve: () => void }[] = [];

  onData(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.received += chunk.length;
    this.#look();
  }

  onDrain(): void {
    this.drains++;
    this.#look();
  }

  onEnd(cause: Error | null): void {
    this.ends.push(cause);
    this.#look();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ holds, resolve });
      this.#look();
    });
  }

  ended(): Promise<void> {
    return this.until(() => this.ends.length > 0);
  }

  #look(): void {
    const met = this.#waiters.filter((waiter) => waiter.holds());
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter));
    for (const waiter of met) waiter.resolve();
  }
}

export interface End {
  stream: Stream;
  recorder: Recorder;
}

export function started(stream: Stream): End {
  const recorder = new Recorder();
  stream.start(recorder);
  atEnd(() => stream.destroy());
  return { stream, recorder };
}

export async function listenOn(
  transport: Transport,
  address: string,
  options: Partial<TransportOptions> = {},
): Promise<{ listener: Listener; accepted: End[]; accept(): Promise<End> }> {
  const accepted: End[] = [];
  const waiting: ((end: End) => void)[] = [];
  const listener = await transport.listen(address, { ...defaults, ...options }, (stream) => {
    const end = started(stream);
    accepted.push(end);
    waiting.shift()?.(end);
  });
  atEnd(() => listener.close());
  return {
    listener,
    accepted,
    accept: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

export function dial(
  transport: Transport,
  address: string,
  options: Partial<TransportOptions> = {},
): Promise<End> {
  return new Promise((resolve, reject) => {
    const attempt: Dial = transport.dial(address, { ...defaults, ...options }, (error, stream) => {
      if (stream !== null) resolve(started(stream));
      else reject(error);
    });
    atEnd(() => attempt.cancel());
  });
}

/** Both ends of a new connection. */
export async function pair(
  transport: Transport,
  address: string,
  options: Partial<TransportOptions> = {},
): Promise<{ listener: Listener; near: End; far: End }> {
  const { listener, accept } = await listenOn(transport, address, options);
  const accepted = accept();
  const near = await dial(transport, listener.address, options);
  return { listener, near, far: await accepted };
}

/** The code of the ZmqError that a call throws. */
export function thrownBy(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ZmqError) return error.code;
    throw error;
  }
  return "nothing thrown";
}

/** The ZmqError that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<ZmqError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ZmqError) return error;
    throw error;
  }
  throw new Error("it was not rejected");
}

export function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
