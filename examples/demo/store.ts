import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { readSetup, runChild } from "./child.ts";
import { readLines, writeLine } from "./lines.ts";
import { type Row, Rows, type Snapshot } from "./rows.ts";
import { storePath } from "./scene.ts";
import type { StoreReply, StoreRequest } from "./store-client.ts";

/** The database of the demo: rows in memory, and per writer and topic the newest number. */
class DemoStore {
  readonly #rows = new Rows();
  readonly #newest = new Map<string, Omit<Row, "key">>();

  /** @throws when a number is left out or comes twice, for then the account of its events means nothing. */
  write(rows: readonly Row[]): void {
    for (const row of rows) {
      const { topic, writer, n } = row;
      const stream = `${topic}/${writer}`;
      const expected = (this.#newest.get(stream)?.n ?? 0) + 1;
      if (n !== expected) throw new Error(`writer ${writer} wrote ${n} on ${topic} in place of ${expected}`);
      this.#newest.set(stream, { topic, writer, n });
      this.#rows.put(row);
    }
  }

  read(topics: readonly string[]): Snapshot {
    const newest = [...this.#newest.values()].filter(({ topic }) => topics.includes(topic));
    return { rows: this.#rows.ofTopics(topics), newest };
  }
}

const { folder } = readSetup();
const store = new DemoStore();
const clients = new Set<Socket>();
const server = createServer((socket) => {
  clients.add(socket);
  socket.on("error", () => {}); // a client that was killed
  socket.on("close", () => clients.delete(socket));
  readLines(socket, (request) => writeLine(socket, reply(request as StoreRequest)));
});

runChild({
  async start() {
    server.listen(storePath(folder));
    await once(server, "listening");
  },
  async end() {
    server.close();
    for (const socket of clients) socket.end();
  },
});

function reply(request: StoreRequest): StoreReply {
  if (request.type === "read") return { snapshot: store.read(request.topics) };
  try {
    store.write(request.rows);
    return {};
  } catch (error) {
    return { error: (error as Error).message };
  }
}
