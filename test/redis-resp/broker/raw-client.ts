import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A command as a test writes it: words parted by single blanks, or its arguments, one character per byte. */
export type Words = string | readonly string[];

/** As clients send it. */
export function encode(words: Words): Buffer {
  const args = typeof words === "string" ? words.split(" ") : words;
  const parts = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`);
  return Buffer.from(`*${args.length}\r\n${parts.join("")}`, "latin1");
}

/** A connection to a server, bytes only: no client's ideas between the test and the wire. */
export class RawClient {
  readonly socket: Socket;
  readonly #end: Promise<void>;
  #received: Buffer[] = [];
  #size = 0;
  #fences = 0;
  #watchers: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#received.push(chunk);
      this.#size += chunk.length;
      for (const watcher of this.#watchers) watcher();
    });
    socket.on("error", () => {});
    this.#end = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  static async connect(address: { host: string; port: number }): Promise<RawClient> {
    const socket = connect({ ...address, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Bytes that have come. */
  get size(): number {
    return this.#size;
  }

  /** What has come, one character per byte. */
  get text(): string {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0]?.toString("latin1") ?? "";
  }

  send(...commands: readonly Words[]): this {
    return this.write(Buffer.concat(commands.map(encode)));
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Resolves once what has come ends like that. */
  async endsWith(text: string): Promise<string> {
    await this.until(() => this.text.endsWith(text));
    return this.text;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#watchers = [resolve];
      });
    }
  }

  /** Sends commands and resolves with all that came for them. A PING, which all states allow, marks the end. */
  async ask(...commands: readonly Words[]): Promise<string> {
    this.#fences += 1;
    const fence = `fence-${this.#fences}`;
    const before = this.text.length;
    this.send(...commands, ["PING", fence]);
    const reply = `$${fence.length}\r\n${fence}\r\n`;
    const text = (await this.endsWith(reply)).slice(before, -reply.length);
    const inSubscriberMode = "*2\r\n$4\r\npong\r\n";
    return text.endsWith(inSubscriberMode) ? text.slice(0, -inSubscriberMode.length) : text;
  }

  /** Resolves when the connection is closed. @returns all that came. */
  async closed(): Promise<string> {
    await this.#end;
    return this.text;
  }

  /** Sends commands and QUIT. @returns all that came until the end. */
  async quit(...commands: readonly Words[]): Promise<string> {
    return this.send(...commands, "QUIT").closed();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
