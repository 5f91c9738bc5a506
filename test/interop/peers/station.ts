import { sleep } from "../../support/wait.ts";
import {
  digest,
  FloodBook,
  floodMessage,
  isProbe,
  message,
  probe,
  type Shape,
  type Tally,
  text,
} from "./messages.ts";

/** What a station needs of a socket; zeromq.js and this library both have it. */
export interface AnySocket {
  bind(address: string): Promise<void>;
  unbind(address: string): Promise<void>;
  connect(address: string): void;
  disconnect(address: string): void;
  close(): unknown;
  readonly lastEndpoint: string | null;
  readonly events: {
    on(type: string, listener: (event: { type: string; address?: string; reason?: string }) => void): unknown;
  };
  send?(parts: readonly Uint8Array[]): Promise<void>;
  receive?(): Promise<Uint8Array[]>;
  subscribe?(...topics: Uint8Array[]): unknown;
  unsubscribe?(...topics: Uint8Array[]): unknown;
}

export type SocketKind = "Publisher" | "Subscriber" | "XPublisher" | "XSubscriber" | "Push" | "Pull";
export type Library = Record<SocketKind, new (options: Record<string, unknown>) => AnySocket>;

/** What a peer can be told to do. Texts are Latin-1: one character is one byte. */
export type Command =
  | { do: "open"; socket: string; kind: SocketKind; options: Record<string, unknown> }
  | { do: "bind" | "connect" | "unbind" | "disconnect"; socket: string; address: string }
  | { do: "subscribe" | "unsubscribe"; socket: string; topics: string[] }
  | { do: "send"; socket: string; from: number; shapes: readonly Shape[] }
  | { do: "sendText"; socket: string; messages: string[][] }
  | { do: "flood"; socket: string; epoch: string; pace?: number }
  | { do: "probe"; socket: string; topic: string }
  | { do: "stop" | "probed" | "pause" | "resume" | "tally" | "close"; socket: string }
  | { do: "receive"; socket: string; count: number; as: "digest" | "text" };

/** A `handshake`, `disconnect`... of one of the sockets, as zeromq.js names them. */
export interface StationEvent {
  socket: string;
  event: string;
  /** Why a connection ended; of this library only. */
  reason?: string;
}

/** Messages that a flood without a pace sends in one go. */
const BURST = 64;

const RECEIVES: readonly SocketKind[] = ["Subscriber", "XPublisher", "XSubscriber", "Pull"];
const EVENTS = ["accept", "connect", "handshake", "disconnect", "connect:retry", "drop"] as const;

/**
 * One named socket. It reads all the time (unless paused) into a list of its own: a libzmq socket subscribes again,
 * and accepts peers, only while its application is in a call.
 */
class Post {
  readonly socket: AnySocket;
  readonly #received: Uint8Array[][] = [];
  readonly #book = new FloodBook();
  #probes = 0;
  #arrived: () => void = () => {};
  #gate: Promise<void> = Promise.resolve();
  #openGate: () => void = () => {};
  #job: { stopped: boolean; done: Promise<number> } | null = null;

  constructor(socket: AnySocket, receives: boolean) {
    this.socket = socket;
    if (receives) void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        await this.#gate;
        const parts = await this.socket.receive!();
        if (isProbe(parts)) this.#probes += 1;
        else this.#received.push(parts);
        this.#arrived();
      }
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN" && (error as { code?: string }).code !== "EBADF")
        throw error;
    }
  }

  pause(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  resume(): void {
    this.#openGate();
  }

  async receive(count: number): Promise<Uint8Array[][]> {
    while (this.#received.length < count) await this.#arrival();
    return this.#received.splice(0, count);
  }

  /** Waits for a probe, and forgets those that came. */
  async probed(): Promise<void> {
    while (this.#probes === 0) await this.#arrival();
    this.#probes = 0;
  }

  /** The sum over all flood messages received so far. */
  tally(): Tally {
    for (const parts of this.#received.splice(0)) this.#book.take(parts);
    return this.#book.tally;
  }

  /** Sends what `next` gives until `stop` is called, every `pace` ms, or in bursts with 1 ms between them. */
  start(next: (sent: number) => Uint8Array[], pace?: number): void {
    if (this.#job) throw new Error("this socket is sending already");
    const job = { stopped: false, done: Promise.resolve(0) };
    job.done = (async () => {
      for (let sent = 0; ; sent += 1) {
        if (job.stopped) return sent;
        await this.socket.send!(next(sent));
        // A burst and a breath: enough to fill queues, and the rest of the process lives on.
        if (pace !== undefined) await sleep(pace);
        else if (sent % BURST === BURST - 1) await sleep(1);
      }
    })();
    job.done.catch(() => {}); // told by stop(); a socket closed under its flood is no fault
    this.#job = job;
  }

  /** @returns how many messages the running flood or probe has sent. */
  async stop(): Promise<number> {
    const job = this.#job;
    if (!job) return 0;
    job.stopped = true;
    this.#job = null;
    return job.done;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.#arrived;
      this.#arrived = () => {
        this.#arrived = () => {};
        before();
        resolve();
      };
    });
  }
}

/** A set of named sockets that obeys commands: in this process, or in another one behind lines of JSON. */
export class Station {
  readonly #library: Library;
  readonly #posts = new Map<string, Post>();
  readonly #onEvent: (event: StationEvent) => void;
  readonly #onOpen: (socket: AnySocket, kind: SocketKind) => void;

  /** @param onOpen sees each new socket; where a library needs to be nudged, it is done there. */
  constructor(
    library: Library,
    onEvent: (event: StationEvent) => void,
    onOpen: (socket: AnySocket, kind: SocketKind) => void = () => {},
  ) {
    this.#library = library;
    this.#onEvent = onEvent;
    this.#onOpen = onOpen;
  }

  async run(command: Command): Promise<unknown> {
    if (command.do === "open") return this.#open(command);
    const post = this.#posts.get(command.socket);
    if (!post) throw new Error(`no socket ${command.socket}`);
    const { socket } = post;
    switch (command.do) {
      case "bind":
        await socket.bind(command.address);
        return socket.lastEndpoint;
      case "unbind":
        return socket.unbind(command.address);
      case "connect":
        return socket.connect(command.address);
      case "disconnect":
        return socket.disconnect(command.address);
      case "subscribe":
      case "unsubscribe":
        return void socket[command.do]!(...command.topics.map((topic) => Buffer.from(topic, "latin1")));
      case "close":
        this.#posts.delete(command.socket);
        return void (await socket.close());
      default:
        return this.#transfer(post, command);
    }
  }

  async #transfer(
    post: Post,
    command: Exclude<Command, { do: "open" | "bind" | "close" }>,
  ): Promise<unknown> {
    switch (command.do) {
      case "send":
        for (let i = 0; i < command.shapes.length; i += 1) {
          await post.socket.send!(message(command.from + i, command.shapes[i]!));
        }
        return command.shapes.length;
      case "sendText":
        for (const parts of command.messages) {
          await post.socket.send!(parts.map((part) => Buffer.from(part, "latin1")));
        }
        return command.messages.length;
      case "flood":
        return post.start((sent) => floodMessage(command.epoch, sent), command.pace);
      case "probe":
        return post.start(() => probe(command.topic), 5);
      case "stop":
        return post.stop();
      case "probed":
        return post.probed();
      case "pause":
        return post.pause();
      case "resume":
        return post.resume();
      case "tally":
        return post.tally();
      case "receive":
        return (await post.receive(command.count)).map(command.as === "text" ? text : digest);
      default:
        throw new Error(`no command ${command.do}`);
    }
  }

  async closeAll(): Promise<void> {
    const posts = [...this.#posts.values()];
    this.#posts.clear();
    await Promise.all(posts.map((post) => post.socket.close()));
  }

  #open(command: Extract<Command, { do: "open" }>): void {
    if (this.#posts.has(command.socket)) throw new Error(`socket ${command.socket} is open already`);
    const socket = new this.#library[command.kind](command.options);
    for (const event of EVENTS) {
      socket.events.on(event, ({ reason }) => {
        this.#onEvent({ socket: command.socket, event, ...(reason !== undefined && { reason }) });
      });
    }
    this.#onOpen(socket, command.kind);
    this.#posts.set(command.socket, new Post(socket, RECEIVES.includes(command.kind)));
  }
}
