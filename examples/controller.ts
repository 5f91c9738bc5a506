/*
 * A controller: keeps a copy of the rows of table `lport` that belong to its topics, and prints every change of it.
 *
 *   node --import tsx examples/controller.ts --store FOLDER --topic tenant-1 --topic tenant-2
 *
 * The publishers are those of DF_PUBLISHERS_IPS and DF_PUBLISHER_PORT, and those in the publisher table.
 */
import { parseArgs } from "node:util";
// In a project of your own: "zmtp/dragonflow".
import {
  configuredAddresses,
  DBKeyNotFoundError,
  loadConfig,
  loadDriver,
  PublisherDirectory,
  SEND_ALL_TOPIC,
} from "../src/drivers/index.ts";
import { FileStore } from "./file-store.ts";

const { values: given } = parseArgs({
  options: {
    store: { type: "string", default: "dragonflow-store" },
    topic: { type: "string", multiple: true, default: [] },
  },
});
const config = loadConfig();
const store = new FileStore(given.store);
const subscriber = loadDriver(config.pubSubDriver, config).getSubscriber();
const directory = new PublisherDirectory({
  subscriber,
  store,
  addresses: configuredAddresses(config),
  publisherTimeout: config.publisherTimeout,
  localIp: config.localIp,
});

/** Our copy: rows by key. */
let copy = new Map<string, string>();

/** A row of ours; null when there is none, or it belongs to others. */
async function read(key: string): Promise<string | null> {
  try {
    const row = await store.getKey("lport", key);
    return given.topic.includes(JSON.parse(row).topic) ? row : null;
  } catch (error) {
    if (error instanceof DBKeyNotFoundError) return null;
    throw error;
  }
}

async function readAll(): Promise<void> {
  const rows = new Map<string, string>();
  for (const key of await store.getAllKeys("lport")) {
    const row = await read(key);
    if (row !== null) rows.set(key, row);
  }
  copy = rows;
  console.log(`read ${copy.size} rows: ${JSON.stringify(Object.fromEntries(copy))}`);
}

// Events wait until the first read is over, or it could put an older row over a newer one.
let start = () => {};
const started = new Promise<void>((resolve) => {
  start = resolve;
});

await subscriber.initialize(async (table, key, action, value) => {
  await started;
  // A rejection, here or below, is answered by another `sync` later.
  await directory.handle(table, key, action, value);
  if (action === "sync") {
    // Something may have been missed: the database knows.
    await readAll();
  } else if (table === "lport" && key !== null) {
    // The wire form of 2016 leaves the value out.
    const row = action === "delete" ? null : typeof value === "string" ? value : await read(key);
    if (row === null) copy.delete(key);
    else copy.set(key, row);
    console.log(`${action} ${key} ${row}`);
  }
});
for (const topic of [SEND_ALL_TOPIC, ...given.topic]) subscriber.registerTopic(topic);
await directory.start();
// From here on every event is delivered, or covered by a `sync`: what was before, the read finds.
await subscriber.daemonize();
await readAll();
start();

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void subscriber.close());
