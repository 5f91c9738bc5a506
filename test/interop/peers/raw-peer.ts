import { createServer, type Server, type Socket, connect as socketConnect } from "node:net";
import { afterEach } from "vitest";
import { stablePort } from "../../support/ports.ts";
import { until, within } from "../../support/wait.ts";
import { frameAt, GREETING_3_0, GREETING_3_1, type RawFrame, ready } from "./bytes.ts";

const PATIENCE = 10_000;

/** How a connection ended, as seen from here. */
export type RawEnd = "end" | "reset";

/** One end of a TCP or Unix connection that says what it is told, byte by byte, and keeps what it hears. */
export class RawPeer {
  /** Settles once the other side has ended the connection; it is then closed here too. */
  readonly ended: Promise<RawEnd>;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #end: RawEnd | null = null;
  #heard: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#heard();
    });
    let failure: Error | null = null;
    socket.on("error", (error) => {
      failure = error;
    });
    this.ended = new Promise((resolve) => {
      const settle = (): void => {
        this.#end ??= failure ? "reset" : "end";
        this.#heard();
        resolve(this.#end);
      };
      socket.on("end", settle).on("close", settle);
    });
  }

  /** @param address `tcp://127.0.0.1:port` or `ipc://path` */
  static async connect(address: string): Promise<RawPeer> {
    const [scheme, rest] = address.split("://") as [string, string];
    const at = rest.lastIndexOf(":");
    const where =
      scheme === "ipc" ? { path: rest } : { host: rest.slice(0, at), port: Number(rest.slice(at + 1)) };
    const socket = socketConnect(where);
    await within(
      PATIENCE,
      `a connection to ${address}`,
      new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject)),
    );
    return new RawPeer(socket);
  }

  write(data: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(data);
  }

  /** The next `size` bytes. Rejects when the connection ends before. */
  async read(size: number): Promise<Buffer> {
    await this.#wait(`${size} bytes`, () => this.#received.length >= size);
    return this.#take(size);
  }

  /** The next frame. Rejects when the connection ends before. */
  async frame(): Promise<RawFrame> {
    await this.#wait("a frame", () => frameAt(this.#received) !== null);
    const { frame, size } = frameAt(this.#received)!;
    this.#take(size);
    return frame;
  }

  /** What has come and was not read yet. */
  get unread(): Buffer {
    return this.#received;
  }

  get open(): boolean {
    return this.#end === null && !this.#socket.destroyed;
  }

  /** Stops and restarts reading, so that the other side feels TCP push back. */
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }

  /** Sends a FIN after what was written. */
  end(): void {
    this.#socket.end();
  }
  /** Ends with a TCP RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
  destroy(): void {
    this.#socket.destroy();
  }

  /**
   * The whole NULL handshake: sends greeting and READY, reads the other side's.
   * @returns the other side's greeting and READY frame.
   */
  async shake(socketType: string, minor: 0 | 1 = 1): Promise<{ greeting: Buffer; ready: RawFrame }> {
    this.write(minor === 0 ? GREETING_3_0 : GREETING_3_1);
    const greeting = await this.read(64);
    this.write(ready(socketType));
    return { greeting, ready: await this.frame() };
  }

  /** Sends one message, every part in the form that its size asks for (RFC 37, "Framing"). */
  message(...parts: readonly (string | Uint8Array)[]): void {
    parts.forEach((part, i) => {
      const more = i < parts.length - 1 ? 0x01 : 0x00;
      this.write(rawFrame(more, typeof part === "string" ? Buffer.from(part, "latin1") : part));
    });
  }

  /** Sends a command frame with this name and data. */
  command(name: string, data: Uint8Array = new Uint8Array(0)): void {
    this.write(rawFrame(0x04, Buffer.concat([Buffer.from([name.length]), Buffer.from(name), data])));
  }

  #take(size: number): Buffer {
    const taken = this.#received.subarray(0, size);
    this.#received = this.#received.subarray(size);
    return taken;
  }

  async #wait(what: string, there: () => boolean): Promise<void> {
    const arrival = new Promise<void>((resolve, reject) => {
      this.#heard = () => {
        if (there()) resolve();
        else if (this.#end) reject(new Error(`the connection ended (${this.#end}) before ${what}`));
      };
      this.#heard();
    });
    await within(PATIENCE, what, arrival);
  }
}

function rawFrame(flags: number, body: Uint8Array): Buffer {
  if (body.length < 256) return Buffer.concat([Buffer.from([flags, body.length]), body]);
  const header = Buffer.alloc(9);
  header[0] = flags | 0x02;
  header.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([header, body]);
}

/** Listens on loopback and hands out the connections that come, in their order. */
export class RawListener {
  readonly #server: Server;
  readonly #peers: RawPeer[] = [];
  #taken = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#peers.push(new RawPeer(socket)));
  }

  /** @param at a port, or the path of a Unix socket. Default: a port that nobody else uses. */
  static async listen(at?: number | string): Promise<RawListener> {
    const listener = new RawListener();
    if (typeof at === "string") listener.#server.listen(at);
    else listener.#server.listen(at ?? (await stablePort()), "127.0.0.1");
    await until("the raw peer listens", () => listener.#server.listening);
    return listener;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null) throw new Error("the raw peer has stopped listening");
    return typeof address === "string" ? `ipc://${address}` : `tcp://127.0.0.1:${address.port}`;
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#peers.length;
  }

  /** The first connection that no earlier call was given. */
  async accept(milliseconds: number = PATIENCE): Promise<RawPeer> {
    const mine = this.#taken++;
    await until(`connection ${mine + 1} arrives`, () => this.#peers.length > mine, milliseconds);
    return this.#peers[mine]!;
  }

  async close(): Promise<void> {
    for (const peer of this.#peers) peer.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/**
 * A publisher that announces ZMTP 3.0 and takes RFC 23 at its word: subscriptions are messages, and there is no PING.
 * Whatever else a subscriber sends is kept as foreign.
 */
export class OldPublisher {
  /** Topics held, in the order in which they came. */
  readonly topics: string[] = [];
  /** Frames that a ZMTP 3.0 subscriber has no business to send. */
  readonly foreign: RawFrame[] = [];
  readonly peer: RawPeer;
  readonly #reading: Promise<void>;

  private constructor(peer: RawPeer) {
    this.peer = peer;
    this.#reading = this.#read();
  }

  /** Takes the listener's next connection and goes through the handshake. */
  static async accept(listener: RawListener): Promise<OldPublisher> {
    const peer = await listener.accept();
    await peer.shake("PUB", 0);
    return new OldPublisher(peer);
  }

  publish(...parts: (string | Uint8Array)[]): void {
    this.peer.message(...parts);
  }

  /** Resolves when the subscriber is gone. */
  get gone(): Promise<void> {
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.peer.open || this.peer.unread.length > 0) {
      const next = frameAt(this.peer.unread);
      if (next) {
        await this.peer.read(next.size);
        this.#take(next.frame);
      } else if (!this.peer.open) return;
      else await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  #take(frame: RawFrame): void {
    const topic = frame.body.subarray(1).toString("latin1");
    const held = this.topics.indexOf(topic);
    const isMessage = (frame.flags & ~0x02) === 0;
    if (isMessage && frame.body[0] === 1) this.topics.push(topic);
    else if (isMessage && frame.body[0] === 0 && held >= 0) this.topics.splice(held, 1);
    else this.foreign.push(frame);
  }
}

/** Starts raw peers whose connections are closed after each test. */
export function useRawPeers(): {
  connect(address: string): Promise<RawPeer>;
  listen(at?: number | string): Promise<RawListener>;
} {
  const peers: RawPeer[] = [];
  const listeners: RawListener[] = [];
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.destroy();
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
  });
  return {
    async connect(address) {
      const peer = await RawPeer.connect(address);
      peers.push(peer);
      return peer;
    },
    async listen(at) {
      const listener = await RawListener.listen(at);
      listeners.push(listener);
      return listener;
    },
  };
}
