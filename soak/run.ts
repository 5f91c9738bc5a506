// npm run soak -- [--minutes 2] [--seed N]: sockets of every type in nine processes, over tcp and ipc, under load, while the
// processes are killed, stopped and closed and their connections reset at random. In the end the sums must add up.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "../test/support/children.ts";
import { stableAddress } from "../test/support/ports.ts";
import { FaultProxy } from "../test/support/proxy.ts";
import { sleep, until } from "../test/support/wait.ts";
import { Life } from "./life.ts";
import { parseOptions, random } from "./options.ts";
import { FAULTS, Slot } from "./slot.ts";
import { growth, judge } from "./verdict.ts";

/** MiB that the hub's memory may have grown by in the end. */
const FLAT = { heap: 10, rss: 60 };
/** ms between two faults, on average. */
const FAULT_EVERY = 500;

const { minutes, seed } = parseOptions(process.argv.slice(2));
const next = random(seed);
const children = new Children();
const folder = mkdtempSync(join(tmpdir(), "zmtp-soak-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.on(signal, () => {
    console.log(`${signal}: ending all processes`);
    void children.killAll().finally(() => process.exit(code));
  });
}

const ipc = (name: string): string => `ipc://${join(folder, name)}`;
const topics = { none: [], all: [""], one: ["a"], two: ["a", "b"] };

console.log(`soak: ${minutes} min, --seed ${seed}`);
const [pullTcp, pubTcp, workerPull, workerPub] = await Promise.all([1, 2, 3, 4].map(() => stableAddress()));
const pushProxy = await FaultProxy.start(pullTcp!);
const subProxy = await FaultProxy.start(pubTcp!);
const hub = new Life(children, "hub", [
  { type: "Pull", sender: "", bind: [ipc("pull"), pullTcp!], connect: [], topics: topics.none },
  { type: "Publisher", sender: "hub-pub", bind: [ipc("pub"), pubTcp!], connect: [], topics: topics.two },
  { type: "Push", sender: "hub-pull-ipc", bind: [], connect: [ipc("worker-pull")], topics: topics.none },
  { type: "Push", sender: "hub-pull-tcp", bind: [], connect: [workerPull!], topics: topics.none },
  { type: "Subscriber", sender: "", bind: [], connect: [ipc("worker-pub"), workerPub!], topics: topics.all },
]);
await until("the hub runs", () => hub.report !== null, 30_000);

const slots = [
  new Slot(children, "push-ipc", { type: "Push", bind: [], connect: [ipc("pull")], topics: topics.none }),
  new Slot(
    children,
    "push-tcp",
    { type: "Push", bind: [], connect: [pushProxy.address], topics: topics.none },
    pushProxy,
  ),
  new Slot(children, "sub-ipc", { type: "Subscriber", bind: [], connect: [ipc("pub")], topics: topics.one }),
  new Slot(
    children,
    "sub-tcp",
    { type: "Subscriber", bind: [], connect: [subProxy.address], topics: topics.all },
    subProxy,
  ),
  new Slot(children, "pull-ipc", {
    type: "Pull",
    bind: [ipc("worker-pull")],
    connect: [],
    topics: topics.none,
  }),
  new Slot(children, "pull-tcp", { type: "Pull", bind: [workerPull!], connect: [], topics: topics.none }),
  new Slot(children, "pub-ipc", {
    type: "Publisher",
    bind: [ipc("worker-pub")],
    connect: [],
    topics: topics.none,
  }),
  new Slot(children, "pub-tcp", { type: "Publisher", bind: [workerPub!], connect: [], topics: topics.none }),
];
const errors: string[] = [];
const note = (error: unknown): void => {
  errors.push(String(error));
};

try {
  for (const slot of slots) await slot.start();
  const end = performance.now() + minutes * 60_000;
  let hubStops = 0;
  while (performance.now() < end && errors.length === 0 && !hub.child.exit) {
    await sleep(FAULT_EVERY * 2 * next());
    const milliseconds = 100 + 1500 * next();
    const at = Math.floor(next() * (slots.length + 0.5));
    const fault = FAULTS[Math.floor(next() * FAULTS.length)]!;
    if (at < slots.length) slots[at]!.suffer(fault, milliseconds, note);
    else {
      hubStops += 1;
      hub.child.signal("SIGSTOP");
      await sleep(milliseconds / 2);
      hub.child.signal("SIGCONT");
    }
  }
  await Promise.all(slots.map((slot) => slot.rest()));
  await settle();
  const counts = FAULTS.map(
    (fault) => `${fault} ${slots.reduce((sum, slot) => sum + slot.counts[fault], 0)}`,
  );
  report([...counts, `stop of the hub ${hubStops}`].join(", "));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await children.killAll();
  await Promise.all([pushProxy.close(), subProxy.close()]);
}

/** Nothing is sent any more; what is on its way arrives; then all are closed. */
async function settle(): Promise<void> {
  // All subscriptions and connections are back before the last message.
  await sleep(3000);
  const lives = [hub, ...slots.map((slot) => slot.current)];
  for (const life of lives) life.child.write("stop");
  const received = (): string => JSON.stringify(lives.map((life) => life.report?.received));
  let before = "";
  await until(
    "nothing comes any more",
    async () => {
      const now = received();
      const isQuiet = now === before;
      before = now;
      if (!isQuiet) await sleep(1000);
      return isQuiet;
    },
    60_000,
  );
  await Promise.all(slots.map((slot) => slot.current.close()));
  await hub.close();
}

function report(faults: string): void {
  const { rows, wrong } = judge(hub, slots);
  const { heap, rss } = growth(hub);
  wrong.push(...errors);
  if (heap > FLAT.heap || rss > FLAT.rss)
    wrong.push(`the hub's memory grew by ${heap} MiB of heap, ${rss} MiB in all`);
  console.table(rows);
  console.log(`faults: ${faults}`);
  console.log(
    `the hub's memory: heap ${heap.toFixed(1)} MiB, RSS ${rss.toFixed(1)} MiB more in its last quarter than in its second`,
  );
  for (const line of wrong) console.error(`WRONG: ${line}`);
  console.log(wrong.length === 0 ? "all adds up" : `${wrong.length} wrong; again with --seed ${seed}`);
  if (wrong.length > 0) process.exitCode = 1;
}
