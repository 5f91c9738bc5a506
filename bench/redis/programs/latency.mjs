// From the call of publish to the call of the listener, through two connections of one process.  latency.mjs CLIENT PORT
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "../../programs/measure.mjs";
import { openPublisher, openSubscriber } from "./clients.mjs";

const [, , name, port] = process.argv;
const PER_SECOND = 200;
const PAYLOAD = "x".repeat(100);
const channel = `latency:${name}`;
const { publish } = await openPublisher(name, Number(port));
const { subscribe } = await openSubscriber(name, Number(port));
let published = 0n;
let came = () => {};
await subscribe([channel], () => came(process.hrtime.bigint() - published));
console.log("ready");

/** @returns p50 and p99 in nanoseconds */
async function round(seconds) {
  const ages = new Float64Array(Number(seconds) * PER_SECOND);
  for (let i = 0; i < ages.length; i += 1) {
    const age = new Promise((resolve) => {
      came = resolve;
    });
    published = process.hrtime.bigint();
    const done = publish(channel, PAYLOAD);
    ages[i] = Number(await age);
    await done;
    await sleep(1000 / PER_SECOND);
  }
  ages.sort();
  const percentile = (p) => ages[Math.ceil(p * ages.length) - 1];
  return `${percentile(0.5)} ${percentile(0.99)}`;
}

await serve({ round });
