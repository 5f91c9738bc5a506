// Does things ten thousand times in a process of its own. A line of JSON for each case: what was left before it, and after.
import { getEventListeners, setMaxListeners } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zmtp from "../../../src/index.ts";
import { stablePort } from "../../support/ports.ts";
import { until } from "../../support/wait.ts";
import { memory } from "./measure.ts";

interface Left {
  /** MiB on the heap and outside of it. */
  heap: number;
  /** Files and sockets that are open. Node's own list leaves out what does not keep the process alive. */
  handles: number;
  timers: number;
  /** Of the process, and of a signal that many calls were given. */
  listeners: number;
}

const timers = countTimers();
const folder = mkdtempSync(join(tmpdir(), "zmtp-churn-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const abort = new AbortController();
setMaxListeners(100, abort.signal);
setInterval(() => {}, 1000); // sockets that dial keep no process alive

/** The timers that are running, those that do not keep the process alive too. */
function countTimers(): Set<unknown> {
  const running = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const counted = (callback: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) => {
    const fire = (): void => {
      running.delete(timer);
      callback(...args);
    };
    const timer = set(fire, delay);
    running.add(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign(counted, set) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    running.delete(timer);
    clear(timer as NodeJS.Timeout);
  };
  return running;
}

async function left(): Promise<Left> {
  // What closes in good order has a second for it.
  await until("no timer is left but this one", () => timers.size <= 1, 10_000).catch(() => {});
  const { heap } = await memory();
  const ofProcess = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return {
    heap,
    handles: readdirSync("/proc/self/fd").length,
    timers: timers.size,
    listeners: ofProcess + getEventListeners(abort.signal, "abort").length,
  };
}

/** Runs `body` so many times, twenty at a time. */
async function times(count: number, body: () => Promise<void>): Promise<void> {
  const lane = async (): Promise<void> => {
    while (count > 0) {
      count -= 1;
      await body();
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}

async function connectSubscribeClose(address: string, count: number): Promise<() => Promise<void>> {
  const pub = new zmtp.Publisher();
  await pub.bind(address);
  const cycle = async (): Promise<void> => {
    const sub = new zmtp.Subscriber();
    const up = new Promise<void>((resolve) => sub.events.on("handshake", () => resolve()));
    sub.connect(pub.lastEndpoint!);
    sub.subscribe("a", "b");
    const waiting = sub.receive({ signal: abort.signal }).catch(() => {});
    await up;
    await sub.close();
    await waiting;
  };
  await times(500, cycle);
  return async () => {
    await times(count, cycle);
    await until("the publisher has seen them go", () => pub.stats().peers.length === 0);
  };
}

async function failedDials(count: number): Promise<() => Promise<void>> {
  const address = `tcp://127.0.0.1:${await stablePort()}`;
  const failing = async (each: number): Promise<void> => {
    const push = new zmtp.Push({ reconnectInterval: 1, linger: 0 });
    let failed = 0;
    const enough = new Promise<void>((resolve) => {
      push.events.on("connect:retry", () => {
        failed += 1;
        if (failed === each) resolve();
      });
    });
    push.connect(address);
    await enough;
    await push.close();
  };
  await times(100, () => failing(1));
  return () => times(count / 10, () => failing(10));
}

async function subscriptions(count: number): Promise<() => Promise<void>> {
  const pub = new zmtp.Publisher();
  await pub.bind("tcp://127.0.0.1:*");
  const sub = new zmtp.Subscriber();
  sub.connect(pub.lastEndpoint!);
  sub.subscribe("for ever");
  await pub.subscribed("for ever");
  const round = async (base: number): Promise<void> => {
    const topics = Array.from({ length: 10_000 }, (_, n) => `topic ${base + n}`);
    sub.subscribe(...topics);
    sub.unsubscribe(...topics);
    await sub.confirmed();
  };
  await round(0);
  return async () => {
    for (let n = 0; n < count; n += 10_000) await round(n);
    await pub.send("for ever");
    if (String(await sub.receive()) !== "for ever") throw new Error("the subscription that stays is lost");
  };
}

/** Each prepares, warms up, and returns what is measured. */
const CASES: [string, () => Promise<() => Promise<void>>][] = [
  ["5000 over tcp", () => connectSubscribeClose("tcp://127.0.0.1:*", 5000)],
  ["5000 over ipc", () => connectSubscribeClose(`ipc://${join(folder, "s")}`, 5000)],
  ["dials", () => failedDials(10_000)],
  ["subscriptions", () => subscriptions(1_000_000)],
];
for (const [name, prepare] of CASES) {
  const run = await prepare();
  const before = await left();
  await run();
  console.log(JSON.stringify({ name, before, after: await left() }));
}
process.exit(0);
