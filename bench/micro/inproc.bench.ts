import * as zeromq from "zeromq";
import { Pull, Push } from "../../src/index.ts";
import { median } from "../statistics.ts";

const ROUNDS = 5;

interface Sending {
  send(message: Buffer): Promise<void>;
}

interface Receiving {
  receive(): Promise<Buffer[]>;
  [Symbol.asyncIterator](): AsyncIterator<Buffer[], undefined>;
}

async function oneByOne(push: Sending, pull: Receiving, body: Buffer, count: number): Promise<void> {
  const received = (async () => {
    let left = count;
    for await (const _ of pull) if (--left === 0) return;
  })();
  for (let n = 0; n < count; n += 1) await push.send(body);
  await received;
}

async function batches(push: Push, pull: Pull, body: Buffer, count: number): Promise<void> {
  const received = (async () => {
    for (let left = count; left > 0; ) left -= (await pull.receiveBatch()).length;
  })();
  for (let n = 0; n < count; n += 1) if (!push.trySend(body)) await push.send(body);
  await received;
}

/** Messages a second, the median of some rounds after one that is not counted. */
async function measure(count: number, round: () => Promise<void>): Promise<void> {
  const rates: number[] = [];
  for (let n = 0; n <= ROUNDS; n += 1) {
    const from = performance.now();
    await round();
    if (n > 0) rates.push((1000 * count) / (performance.now() - from));
  }
  const [low, middle, high] = [Math.min(...rates), median(rates), Math.max(...rates)];
  process.stdout.write(`${[middle, low, high].map((rate) => `${(rate / 1e6).toFixed(2)} M`).join("  ")}\n`);
}

/** PUSH to PULL within one thread, messages/s: median, least and most. */
export async function run(): Promise<void> {
  for (const size of [16, 100, 1024]) {
    const body = Buffer.alloc(size, "x");
    const address = `inproc://bench-${size}`;
    const [push, pull] = [new Push(), new Pull()];
    await pull.bind(address);
    push.connect(address);
    process.stdout.write(`inproc, ${size} B\n  zmtp           `);
    await measure(300_000, () => oneByOne(push, pull, body, 300_000));
    process.stdout.write("  zmtp, batches  ");
    await measure(300_000, () => batches(push, pull, body, 300_000));
    await Promise.all([push.close(), pull.close()]);
    const [theirPush, theirPull] = [new zeromq.Push(), new zeromq.Pull()];
    await theirPull.bind(address);
    theirPush.connect(address);
    process.stdout.write("  zeromq.js      ");
    await measure(30_000, () => oneByOne(theirPush as Sending, theirPull as Receiving, body, 30_000));
    theirPush.close();
    theirPull.close();
  }
}
