import { RedisBroker } from "../../src/redis-resp/index.ts";
import { readSetup, runChild } from "./child.ts";

/** The Redis server of the demo's own. */
const broker = new RedisBroker({ port: readSetup().port });

runChild({
  start: () => broker.listen(),
  end: () => broker.close(),
});
