// The embedded broker, in a process of its own.
import { serve } from "../../programs/measure.mjs";

const { RedisBroker } = await import(new URL("../../../dist/redis.js", import.meta.url).href);
const broker = new RedisBroker();
await broker.listen();
console.log(`listening ${broker.address.port}`);
await serve({});
