import { setTimeout as sleep } from "node:timers/promises";
import { DbUpdate, SEND_ALL_TOPIC } from "../../src/drivers/index.ts";
import { fail, readSetup, runChild } from "./child.ts";
import { machineTime } from "./clock.ts";
import { writerEnd } from "./driver.ts";
import type { WriterReport } from "./messages.ts";
import { Pace } from "./pace.ts";
import type { Row } from "./rows.ts";
import { KEYS_PER_TOPIC, SEND_ALL_EVERY, storePath, TABLE, tenantTopics } from "./scene.ts";
import { StoreClient } from "./store-client.ts";
import { eventValue } from "./value.ts";

/** ms between two looks at what is due. */
const TURN = 5;

/** Changes objects: first in the store, then by an event that tells of it. */
class Writer {
  readonly #store: StoreClient;
  readonly #publisher = writerEnd(setup);
  readonly #topics = tenantTopics(options.controllers);
  readonly #counts = new Map<string, { written: number; sent: number; refused: number }>();
  #changes = 0;
  #stopping = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(store: StoreClient) {
    this.#store = store;
    for (const topic of [...this.#topics, SEND_ALL_TOPIC]) {
      this.#counts.set(topic, { written: 0, sent: 0, refused: 0 });
    }
  }

  static async open(): Promise<Writer> {
    const writer = new Writer(await StoreClient.connect(storePath(folder)));
    await writer.#publisher.initialize();
    return writer;
  }

  start(): void {
    this.#writing = this.#write();
    this.#writing.catch(fail);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#publisher.close();
    this.#store.close();
  }

  report(): WriterReport {
    return { topics: Object.fromEntries(this.#counts) };
  }

  figures(): { sent: number; refused: number } {
    const counts = [...this.#counts.values()];
    const sum = (name: "sent" | "refused"): number => counts.reduce((all, one) => all + one[name], 0);
    return { sent: sum("sent"), refused: sum("refused") };
  }

  async #write(): Promise<void> {
    const pace = new Pace(options.rate / options.writers, machineTime());
    while (!this.#stopping) {
      const rows = Array.from({ length: pace.due(machineTime()) }, () => this.#nextChange());
      if (rows.length > 0) {
        await this.#store.write(rows);
        await Promise.all(rows.map((row) => this.#send(row)));
      }
      await sleep(TURN);
    }
  }

  #nextChange(): Row {
    this.#changes += 1;
    const change = this.#changes;
    const topic =
      change % SEND_ALL_EVERY === 0 ? SEND_ALL_TOPIC : this.#topics[(change + index) % this.#topics.length]!;
    const counts = this.#counts.get(topic)!;
    counts.written += 1;
    const n = counts.written;
    return { topic, key: `${topic}-port-${n % KEYS_PER_TOPIC}`, writer: index, n };
  }

  async #send({ topic, key, n }: Row): Promise<void> {
    const counts = this.#counts.get(topic)!;
    const value = eventValue({ writer: index, n, sentAt: machineTime() }, options.valueSize);
    const action = options.wire === "json" ? "log" : "set";
    counts.sent += 1;
    try {
      await this.#publisher.sendEvent(new DbUpdate({ table: TABLE, key, action, value, topic }));
    } catch {
      counts.refused += 1;
    }
  }
}

const setup = readSetup();
const { folder, index, options } = setup;
let writer: Writer;

runChild({
  async start() {
    writer = await Writer.open();
  },
  answers: {
    start: () => writer.start(),
    stop: () => writer.stop(),
    report: () => writer.report(),
  },
  figures: () => writer.figures(),
  end: () => writer.close(),
});
