// npm run bench:retention: what a last-value cache holds that keeps one part of each of 20 000 messages, as it came (a view
// into the chunk it was received in) or as a copy. A process for each cell, since what one leaves behind would count for the
// next.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Publisher, Subscriber } from "../src/index.ts";

const MESSAGES = 20_000;
const SIZES = [16, 100, 1024];
const KEPT = ["view", "copy"] as const;
type Kept = (typeof KEPT)[number];
/**
 * "all": each message is for another key. "some": of each hundred messages one is new, as when keys are updated at different
 * rates: what is kept then lies far apart.
 */
const KEYS = ["all", "some"] as const;
type Keys = (typeof KEYS)[number];

/** Bytes on the heap and outside of it that are still reachable. */
async function held(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run with --expose-gc");
  for (let i = 0; i < 3; i += 1) {
    await sleep(20);
    gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** @returns bytes held for each part kept. */
async function measure(size: number, kept: Kept, keys: Keys): Promise<number> {
  const pub = new Publisher({ sendHighWaterMark: 0 });
  await pub.bind("tcp://127.0.0.1:*");
  const sub = new Subscriber();
  sub.connect(pub.lastEndpoint!);
  sub.subscribe("");
  await pub.subscribed("");
  const body = Buffer.alloc(size, "x");
  const every = keys === "all" ? 1 : 100;
  // A first pass with nothing kept: sockets, compiled code and pools are there already.
  const pass = async (keep: (n: number, part: Buffer) => void): Promise<void> => {
    const receive = (async () => {
      for (let n = 0; n < MESSAGES * every; n += 1) {
        const [, part] = await sub.receive();
        if (n % every === 0) keep(n, part!);
      }
    })();
    for (let n = 0; n < MESSAGES * every; n += 1) await pub.send([String(n), body]);
    await receive;
  };
  await pass(() => {});
  const cache = new Array<Buffer | null>(MESSAGES).fill(null);
  const before = await held();
  await pass((n, part) => {
    cache[n / every] = kept === "view" ? part : Buffer.from(part);
  });
  const bytes = (await held()) - before;
  if (cache.some((part) => part?.length !== size)) throw new Error("a part is missing");
  await Promise.all([sub.close(), pub.close()]);
  return bytes / MESSAGES;
}

function inProcess(...cell: string[]): Promise<number> {
  const args = ["--expose-gc", "--import", "tsx", fileURLToPath(import.meta.url), ...cell];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      if (code === 0) resolve(Number(output));
      else reject(new Error(`exit code ${code}`));
    });
  });
}

const [size, kept, keys] = process.argv.slice(2);
if (size !== undefined) {
  console.log(await measure(Number(size), kept as Kept, keys as Keys));
} else {
  console.log(
    `bytes of heap and external memory for each of ${MESSAGES} parts kept, Node ${process.version}`,
  );
  for (const keys of KEYS) {
    console.log(keys === "all" ? "one part of each message" : "one part of every hundredth message");
    const rows: Record<string, Record<Kept, number>> = {};
    for (const size of SIZES) {
      const row = { view: 0, copy: 0 };
      for (const kept of KEPT) row[kept] = Math.round(await inProcess(String(size), kept, keys));
      rows[`${size} B`] = row;
    }
    console.table(rows);
  }
}
