import { RedisBroker } from "../../../src/redis-resp/index.ts";

/** Ends by itself once its broker is closed, for which nothing else keeps it alive. */
const broker = new RedisBroker();
await broker.listen();
setTimeout(async () => {
  console.log("alive");
  await broker.close();
  console.log("closed");
}, 50).unref();
