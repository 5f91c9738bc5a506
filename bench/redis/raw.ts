import { connect, type Socket } from "node:net";

/** One connection that speaks the least of RESP2: commands of words in, replies of one line out. Never reconnects. */
export class RawConnection {
  readonly #socket: Socket;
  readonly #waiting: ((line: string | null) => void)[] = [];
  #text = "";
  #isOpen = true;

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#isOpen = false;
      for (const resolve of this.#waiting.splice(0)) resolve(null);
    });
    this.#socket.on("data", (chunk: string) => {
      const lines = (this.#text + chunk).split("\r\n");
      this.#text = lines.pop()!;
      for (const line of lines) this.#waiting.shift()?.(line);
    });
  }

  /** @returns the reply's only line; null when the connection ends without it */
  ask(...words: readonly string[]): Promise<string | null> {
    if (!this.#isOpen) return Promise.resolve(null);
    this.#socket.write(
      `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`,
    );
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}
