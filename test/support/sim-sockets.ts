import { afterEach, expect } from "vitest";
import {
  type Message,
  Publisher,
  type PublisherOptions,
  Pull,
  type PullOptions,
  Push,
  type PushOptions,
  type SocketEvent,
  type SocketEvents,
  Subscriber,
  type SubscriberOptions,
  XPublisher,
  type XPublisherOptions,
  XSubscriber,
  type XSubscriberOptions,
} from "../../src/sockets/index.ts";
import type { StreamHandler } from "../../src/transports/transport.ts";
import { type SimulatedStream, Simulation } from "./simulation.ts";

/** The sockets in one simulated process. */
export class World extends Simulation {
  publisher(options: PublisherOptions = {}): Publisher {
    return new Publisher(options, this.context);
  }

  subscriber(options: SubscriberOptions = {}): Subscriber {
    return new Subscriber(options, this.context);
  }

  xpublisher(options: XPublisherOptions = {}): XPublisher {
    return new XPublisher(options, this.context);
  }

  xsubscriber(options: XSubscriberOptions = {}): XSubscriber {
    return new XSubscriber(options, this.context);
  }

  push(options: PushOptions = {}): Push {
    return new Push(options, this.context);
  }

  pull(options: PullOptions = {}): Pull {
    return new Pull(options, this.context);
  }

  /** Binds, and waits until that is done. */
  async bind(socket: Bindable, address = "sim://a"): Promise<string> {
    const bound = socket.bind(address);
    await this.settle();
    await bound;
    return socket.lastEndpoint as string;
  }

  /** The near end of the connection made last. */
  get lastDialled(): SimulatedStream {
    return this.network.streams.at(-2) as SimulatedStream;
  }

  /** A peer that speaks bytes: it dials a bound socket. */
  async dialRaw(address: string): Promise<RawPeer> {
    return await new Promise((resolve, reject) => {
      this.network.dial(address, null, (error, stream) => {
        if (error !== null) reject(error);
        else resolve(new RawPeer(stream as SimulatedStream));
      });
      void this.settle();
    });
  }

  /** Peers that speak bytes, each for one dial to this address. */
  listenRaw(address: string): RawPeer[] {
    const peers: RawPeer[] = [];
    this.network.listeners.set(address, (stream) => peers.push(new RawPeer(stream as SimulatedStream)));
    return peers;
  }
}

interface Bindable {
  bind(address: string): Promise<void>;
  readonly lastEndpoint: string | null;
}

/** What a test says and hears in bytes. */
export class RawPeer implements StreamHandler {
  readonly stream: SimulatedStream;
  readonly ends: (Error | null)[] = [];
  #received: Uint8Array[] = [];

  constructor(stream: SimulatedStream) {
    this.stream = stream;
    stream.start(this);
  }

  write(...chunks: (Uint8Array | string)[]): this {
    this.stream.write(chunks.map((chunk) => (typeof chunk === "string" ? hex(chunk) : chunk)));
    return this;
  }

  /** Greeting and READY. */
  greet(socketType: string, minor = 1): this {
    return this.write(greeting(minor), ready(socketType));
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** What came since the last call. */
  take(): Buffer {
    const received = this.received;
    this.#received = [];
    return received;
  }

  onData(chunk: Uint8Array): void {
    this.#received.push(chunk);
  }

  onDrain(): void {}

  onEnd(cause: Error | null): void {
    this.ends.push(cause);
  }
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

/** RFC 37, "The Greeting": 64 bytes, NULL mechanism. */
export function greeting(minor = 1): Buffer {
  return Buffer.concat([
    hex("ff 00 00 00 00 00 00 00 00 7f 03"),
    Buffer.from([minor]),
    Buffer.from("NULL".padEnd(20, "\0")),
    Buffer.alloc(32),
  ]);
}

/** RFC 37, "The READY Command", with nothing but the Socket-Type. */
export function ready(socketType: string): Buffer {
  const body = Buffer.concat([
    hex("05"),
    Buffer.from("READY"),
    hex("0b"),
    Buffer.from("Socket-Type"),
    hex("00 00 00"),
    Buffer.from([socketType.length]),
    Buffer.from(socketType),
  ]);
  return Buffer.concat([hex("04"), Buffer.from([body.length]), body]);
}

/** A short command frame. */
export function command(name: string, data: string | Uint8Array = ""): Buffer {
  const body = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from(data as string)]);
  return Buffer.concat([hex("04"), Buffer.from([body.length]), body]);
}

/** A message of short frames. */
export function message(...parts: string[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part, i) => [
      Buffer.from([i < parts.length - 1 ? 1 : 0, Buffer.byteLength(part)]),
      Buffer.from(part),
    ]),
  );
}

export function texts(parts: Message): string[] {
  return parts.map((part) => part.toString());
}

interface Receiving {
  receive(): Promise<Message>;
  receiveTimeout: number;
}

/** Everything that can be received now, a message each, its parts joined by `|`. */
export async function drain(socket: Receiving): Promise<string[]> {
  socket.receiveTimeout = 0;
  const messages: string[] = [];
  for (;;) {
    try {
      messages.push(texts(await socket.receive()).join("|"));
    } catch (error) {
      expect(error).toMatchObject({ code: "EAGAIN" });
      socket.receiveTimeout = -1;
      return messages;
    }
  }
}

interface Observed {
  readonly events: {
    on<T extends keyof SocketEvents>(type: T, listener: (event: SocketEvents[T]) => void): unknown;
  };
}

export type AnyEvent = SocketEvent;

const EVENT_TYPES = [
  "bind",
  "bind:error",
  "close",
  "accept",
  "accept:error",
  "connect:delay",
  "connect",
  "connect:retry",
  "handshake",
  "handshake:error:protocol",
  "handshake:error:auth",
  "handshake:error:other",
  "disconnect",
  "end",
] as const;

/** Every event of a socket, in order. */
export function eventsOf(socket: Observed): AnyEvent[] {
  const seen: AnyEvent[] = [];
  for (const type of EVENT_TYPES) socket.events.on(type, (event) => seen.push(event));
  return seen;
}

export function typesOf(events: readonly AnyEvent[]): string[] {
  return events.map((event) => event.type);
}

/** How a promise stands, without waiting for it: settle the world first. */
export function watch<T>(promise: Promise<T>): {
  state: "pending" | "resolved" | "rejected";
  value?: T;
  error?: unknown;
} {
  const watched: ReturnType<typeof watch<T>> = { state: "pending" };
  promise.then(
    (value) => {
      watched.state = "resolved";
      watched.value = value;
    },
    (error) => {
      watched.state = "rejected";
      watched.error = error;
    },
  );
  return watched;
}

/** The error that a call throws, or that its promise is rejected with and `how` the two differ. */
export async function failure(
  call: () => unknown,
): Promise<{ how: "thrown" | "rejected"; error: Error & { code?: string } }> {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return { how: "thrown", error: error as Error };
  }
  try {
    await result;
  } catch (error) {
    return { how: "rejected", error: error as Error };
  }
  throw new Error("it did not fail");
}

/** To be called once in each test file: a rejection that nobody handles fails the test in which it happens. */
export function trapRejections(): void {
  const trapped: unknown[] = [];
  process.on("unhandledRejection", (reason) => trapped.push(reason));
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    expect(trapped.splice(0)).toEqual([]);
  });
}
