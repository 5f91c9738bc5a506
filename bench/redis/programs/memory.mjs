// What a client takes of memory. Needs --expose-gc.  memory.mjs CLIENT PORT CHANNELS
import { memory } from "../../programs/measure.mjs";
import { channelsOf } from "./channels.mjs";
import { openPublisher, openSubscriber } from "./clients.mjs";

const [, , name, port, count] = process.argv;
const channels = channelsOf(Number(count), "memory");

const bare = await memory();
const { publish } = await openPublisher(name, Number(port));
await publish("memory", "x");
const connected = await memory();

const { subscribe } = await openSubscriber(name, Number(port));
await subscribe(["memory:one"], () => {});
const subscriberBefore = await heap();
await subscribe(channels, () => {});
const subscriberAfter = await heap();

async function heap() {
  await memory();
  return process.memoryUsage().heapUsed;
}

console.log(`memory ${connected.rss - bare.rss} ${(subscriberAfter - subscriberBefore) / channels.length}`);
process.exit(0);
