// Subscribers that hold many topics.  topics-subscribe.mjs LIBRARY ADDRESS PEERS
import { longestBlock, memory, serve, topicOf } from "./measure.mjs";

const [, , library, address, peers] = process.argv;
const zmq = await import(library);
const subscribers = Array.from({ length: Number(peers) }, () => new zmq.Subscriber());
for (const subscriber of subscribers) subscriber.connect(address);

/** Every publisher has what it was told so far. */
async function confirmed() {
  for (const subscriber of subscribers) {
    for (;;) {
      const how = await subscriber.confirmed().catch(() => null);
      if (how === "answered") break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
await confirmed();
console.log("connected");

await serve({
  /** ms of the loop, the longest block after it, and bytes held for each topic. */
  async subscribe(count) {
    const before = await memory();
    const started = performance.now();
    for (let i = 0; i < count; i += 1) subscribers[i % subscribers.length].subscribe(topicOf(i));
    const took = performance.now() - started;
    await longestBlock();
    await confirmed();
    const block = await longestBlock();
    const { held, rss } = await memory();
    await longestBlock();
    return `${took} ${block} ${(held - before.held) / count} ${(rss - before.rss) / count}`;
  },
  /** The connections are lost and made again. The longest block meanwhile. */
  async again() {
    await longestBlock();
    for (const subscriber of subscribers) {
      subscriber.disconnect(address);
      subscriber.connect(address);
    }
    await confirmed();
    return await longestBlock();
  },
  /** Goes away at once. */
  leave: () => process.exit(0),
});
