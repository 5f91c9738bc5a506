// What the programs of the scenarios share: lines from the runner, memory, and how long the event loop was held up.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Calls `commands[word](...rest)` for each line, one after the other; what it returns is printed. The end of input ends the program. */
export async function serve(commands) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [word, ...rest] = line.split(" ");
    const answer = await commands[word](...rest);
    if (answer !== undefined) console.log(`${word} ${answer}`);
  }
  process.exit(0);
}

/** Bytes on the heap and outside of it that are reachable, and of the process. Needs --expose-gc. */
export async function memory() {
  for (let i = 0; i < 3; i += 1) {
    await sleep(30);
    globalThis.gc();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

let last = performance.now();
let worst = 0;
setInterval(() => {
  const now = performance.now();
  worst = Math.max(worst, now - last - 1);
  last = now;
}, 1);

/** The longest time in ms that a timer of 1 ms was late since this was last called. */
export async function longestBlock() {
  await sleep(5);
  const result = worst;
  worst = 0;
  return result;
}

/** A UUID with a prefix: 41 bytes. The same number gives the same topic, others differ in their first digits. */
export function topicOf(n) {
  const hex = Math.imul(n + 1, 2654435761) >>> 0;
  const text = hex.toString(16).padStart(8, "0");
  return `port/${text}-${text.slice(4)}-4${text.slice(1, 4)}-8${text.slice(5)}-${text}${text.slice(0, 4)}`;
}
