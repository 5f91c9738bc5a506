// A publisher whose subscribers hold many topics.  topics-publish.mjs LIBRARY
import { longestBlock, memory, serve, topicOf } from "./measure.mjs";

const zmq = await import(process.argv[2]);
const publisher = new zmq.Publisher();
await publisher.bind("tcp://127.0.0.1:*");
console.log(`listening ${publisher.lastEndpoint}`);

const PROBES = 20_000;
let before = await memory();

await serve({
  async start() {
    before = await memory();
    await longestBlock();
    return "";
  },
  /** The longest block since the last command; bytes held and bytes of the process for each of `count` topics since `start`. */
  async filled(count) {
    const block = await longestBlock();
    const { held, rss } = await memory();
    await longestBlock();
    return `${block} ${(held - before.held) / count} ${(rss - before.rss) / count}`;
  },
  /** ns for a message that is for nobody: all its bytes but the last are those of a topic. */
  match(count) {
    const messages = Array.from({ length: PROBES }, (_, i) =>
      Buffer.from(`${topicOf(Math.imul(i, 7919) % count).slice(0, -1)}_`),
    );
    for (const message of messages) publisher.trySend(message);
    const started = performance.now();
    for (const message of messages) publisher.trySend(message);
    return ((performance.now() - started) * 1e6) / PROBES;
  },
  block: async () => await longestBlock(),
});
