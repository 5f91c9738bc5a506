// Subscribes to one channel of a cluster and notes what comes when.  follow.mjs CLIENT PORTS plain|sharded CHANNEL
import { serve } from "../../programs/measure.mjs";
import { openClusterSubscriber } from "./clients.mjs";

const [, , name, ports, kind, channel] = process.argv;
const subscriber = await openClusterSubscriber(name, ports.split(",").map(Number), kind === "sharded");
let arrivals = [];
let gapsBefore = 0;
await subscriber.subscribe(channel, (payload) => {
  arrivals.push([Number(payload.toString()), Number(process.hrtime.bigint() / 1000n)]);
});
console.log("ready");

await serve({
  start() {
    arrivals = [];
    gapsBefore = subscriber.gaps();
    return "ok";
  },
  /** The numbers that came with their times in µs of the system's monotonic clock, and the gaps reported. */
  report: () => JSON.stringify({ arrivals, gaps: subscriber.gaps() - gapsBefore }),
});
