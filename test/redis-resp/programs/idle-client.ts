/** Connects, publishes, and leaves the client open: the process is to end by itself. */
import { RedisClient } from "../../../src/redis-resp/index.ts";

const client = new RedisClient({ port: Number(process.argv[2]) });
console.log(`receivers ${await client.publish("news", "hello")}`);
