import { connect, type Socket } from "node:net";
import { readLines, writeLine } from "./lines.ts";
import type { Row, Snapshot } from "./rows.ts";

/** What a client asks the store; answered in order. */
export type StoreRequest =
  | { readonly type: "write"; readonly rows: readonly Row[] }
  | { readonly type: "read"; readonly topics: readonly string[] };

/** `error`: the request was refused. */
export type StoreReply = { readonly snapshot?: Snapshot; readonly error?: string };

interface Waiting {
  resolve(reply: StoreReply): void;
  reject(error: Error): void;
}

/** A connection to the store. Whatever waits for an answer rejects when it ends. */
export class StoreClient {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    readLines(socket, (value) => this.#answer(value as StoreReply));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      for (const one of this.#waiting.splice(0)) one.reject(new Error("The store has gone"));
    });
  }

  static connect(path: string): Promise<StoreClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new StoreClient(socket)));
      socket.once("error", reject);
    });
  }

  /** Resolves when all rows are in the store. */
  async write(rows: readonly Row[]): Promise<void> {
    await this.#ask({ type: "write", rows });
  }

  /** All rows of these topics as they are at one moment after the call. */
  async read(topics: readonly string[]): Promise<Snapshot> {
    const { snapshot } = await this.#ask({ type: "read", topics });
    return snapshot!;
  }

  close(): void {
    this.#socket.end();
  }

  #ask(request: StoreRequest): Promise<StoreReply> {
    if (!this.#socket.writable) return Promise.reject(new Error("The store has gone"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      writeLine(this.#socket, request);
    });
  }

  #answer(reply: StoreReply): void {
    const waiting = this.#waiting.shift()!;
    if (reply.error === undefined) waiting.resolve(reply);
    else waiting.reject(new Error(reply.error));
  }
}
