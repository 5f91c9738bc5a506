/*
 * A writer: puts rows into table `lport` and tells the controllers. A line of input is KEY TOPIC NAME, or KEY TOPIC to delete.
 *
 *   echo p1 tenant-1 port-one | node --import tsx examples/writer.ts --store FOLDER
 *
 * The events go to the publisher service at DF_PUBLISHER_MULTIPROC_SOCKET.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
// In a project of your own: "zmtp/dragonflow".
import { DBKeyNotFoundError, DbUpdate, loadConfig, loadDriver } from "../src/drivers/index.ts";
import { FileStore } from "./file-store.ts";

const { values: given } = parseArgs({ options: { store: { type: "string", default: "dragonflow-store" } } });
const config = loadConfig();
const store = new FileStore(given.store);
const publisher = loadDriver(config.pubSubMultiprocDriver, config).getPublisher();
await publisher.initialize();

/** First the database, then the event: whoever reads the database because an event was lost finds the row. */
async function write(key: string, topic: string, name: string | undefined): Promise<void> {
  if (name === undefined) {
    await store.deleteKey("lport", key);
    await publisher.sendEvent(new DbUpdate({ table: "lport", key, action: "delete", topic }));
  } else {
    const value = JSON.stringify({ id: key, topic, name });
    await store.createKey("lport", key, value);
    await publisher.sendEvent(new DbUpdate({ table: "lport", key, action: "set", value, topic }));
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [key, topic, name] = line.trim().split(/\s+/);
  if (!key || !topic) continue;
  try {
    await write(key, topic, name);
    console.log(`sent ${key}`);
  } catch (error) {
    if (error instanceof DBKeyNotFoundError) {
      console.error(`there is no ${key}`);
      continue;
    }
    // The row is written, but its event is not on its way, e.g. because the service has been down for longer than
    // send_timeout. There is nothing to repeat: as soon as it can, the publisher tells all controllers to read the database.
    console.error(`${key} was not sent: ${(error as Error).message}`);
  }
}
await publisher.close();
