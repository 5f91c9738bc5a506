import type { DbChangesCallback } from "../../src/drivers/index.ts";
import { StreamAccount } from "./accounting.ts";
import { readSetup, runChild } from "./child.ts";
import { machineTime } from "./clock.ts";
import { controllerEnd } from "./driver.ts";
import { Histogram } from "./histogram.ts";
import type { ControllerFigures, ControllerReport } from "./messages.ts";
import { Rows } from "./rows.ts";
import { storePath, TABLE, topicsOf } from "./scene.ts";
import { StoreClient } from "./store-client.ts";
import { readValue } from "./value.ts";

/** Keeps a copy of the store's rows on its topics: by events, and by reading the store when told to `sync`. */
class Controller {
  readonly #topics = topicsOf(index, options.controllers);
  readonly #subscriber = controllerEnd(setup);
  readonly #store: StoreClient;
  readonly #copy = new Rows();
  readonly #streams = new Map<string, StreamAccount>();
  readonly #latencies = new Histogram();
  #received = 0;
  #syncs = 0;
  #dropping = false;

  private constructor(store: StoreClient) {
    this.#store = store;
  }

  static async open(): Promise<Controller> {
    const controller = new Controller(await StoreClient.connect(storePath(folder)));
    await controller.#subscribe();
    return controller;
  }

  settled(): Promise<void> {
    return this.#subscriber.settled();
  }

  dropNext(): void {
    this.#dropping = true;
  }

  async close(): Promise<void> {
    await this.#subscriber.close();
    this.#store.close();
  }

  async report(): Promise<ControllerReport> {
    const { rows } = await this.#store.read(this.#topics);
    return {
      topics: this.#topics,
      streams: [...this.#streams.values()].map((stream) => stream.state()),
      syncs: this.#syncs,
      differences: this.#copy.differences(rows),
    };
  }

  figures(): ControllerFigures {
    return {
      topics: this.#topics,
      received: this.#received,
      syncs: this.#syncs,
      latencies: this.#latencies.take(),
    };
  }

  async #subscribe(): Promise<void> {
    await this.#subscriber.initialize(this.#onChange);
    for (const topic of this.#topics) this.#subscriber.registerTopic(topic);
    await this.#subscriber.daemonize();
  }

  readonly #onChange: DbChangesCallback = (table, key, action, value, topic) => {
    if (action === "sync") return this.#sync();
    if (table !== TABLE) return; // the service's own entry among the publishers
    const { writer, n, sentAt } = readValue(value as string);
    if (this.#dropping) {
      this.#dropping = false;
      return;
    }
    this.#latencies.record(machineTime() - sentAt);
    this.#received += 1;
    this.#stream(writer, topic!).receive(n);
    this.#copy.put({ topic: topic!, key: key!, writer, n });
  };

  /** Something may have been missed: the store knows it. */
  async #sync(): Promise<void> {
    this.#syncs += 1;
    const { rows, newest } = await this.#store.read(this.#topics);
    this.#copy.replace(rows);
    for (const { topic, writer, n } of newest) this.#stream(writer, topic).sync(n);
  }

  #stream(writer: number, topic: string): StreamAccount {
    const id = `${topic}/${writer}`;
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = new StreamAccount(writer, topic);
      this.#streams.set(id, stream);
    }
    return stream;
  }
}

const setup = readSetup();
const { folder, index, options } = setup;
let controller: Controller;

runChild({
  async start() {
    controller = await Controller.open();
  },
  answers: {
    drop: () => controller.dropNext(),
    settle: () => controller.settled(),
    report: () => controller.report(),
  },
  figures: () => controller.figures(),
  end: () => controller.close(),
});
