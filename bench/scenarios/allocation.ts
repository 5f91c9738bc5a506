import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import { CONTENDERS } from "../contenders.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

const PROGRAM = fileURLToPath(new URL("../programs/allocation.mjs", import.meta.url));
const SIZE = 100;
const MESSAGES = 20_000;
/** MiB of the young generation, for more than a round allocates: nothing is collected before it has been counted. */
const YOUNG = 256;
const MEASURED = ["--expose-gc", `--min-semi-space-size=${YOUNG}`, `--max-semi-space-size=${YOUNG}`];
/** Rounds in which code is compiled, and queues and slabs grow. */
const WARM_UP = 8;
/** ms */
const PATIENCE = 20_000;

type Role = "send" | "receive";

/** A library and how it is used. */
interface Way {
  readonly contender: string;
  /** null: none, but the least that the language itself needs. */
  readonly library: string | null;
  readonly handing: "one" | "batch";
}

/** [bytes of the round, function, place] */
type Site = [bytes: number, name: string, place: string];

/** One end is measured, the other just there. */
interface Ends {
  readonly measured: Child;
  readonly other: Child | null;
}

function ways(): Way[] {
  return CONTENDERS.flatMap(({ name, library, programs }) =>
    library !== undefined && programs["push-pull"] !== undefined
      ? [
          {
            contender: name,
            library,
            handing: name.endsWith("-batch") ? ("batch" as const) : ("one" as const),
          },
        ]
      : [],
  );
}

/** Figures to compare with. */
const BARE: Readonly<Record<Role, readonly Way[]>> = {
  send: [{ contender: "bare: an await", library: null, handing: "one" }],
  receive: [
    { contender: "bare: views, array, for await", library: null, handing: "one" },
    { contender: "bare: views, array", library: null, handing: "batch" },
  ],
};

async function open({ contender, library, handing }: Way, role: Role, frames: number): Promise<Ends> {
  const start = (end: Role, ...address: string[]): Child => {
    const flags = end === role ? MEASURED : ["--expose-gc"];
    const words = library === null ? ["none", `bare-${end}`] : [library, end];
    words.push(handing, String(frames), String(SIZE), ...address);
    return new Child(`${contender} (${end})`, [process.execPath, ...flags, PROGRAM, ...words]);
  };
  if (library === null) return { measured: start(role), other: null };
  const ends = [start("send")];
  try {
    const [address] = await ends[0]!.expect("listening", PATIENCE);
    ends.push(start("receive", address!));
    await ends[1]!.expect("ready", PATIENCE);
  } catch (error) {
    await Promise.all(ends.map((end) => end.close()));
    throw error;
  }
  const [sender, receiver] = ends as [Child, Child];
  return role === "send" ? { measured: sender, other: receiver } : { measured: receiver, other: sender };
}

/** @returns bytes of the heap and bytes in buffers, for a message. */
async function round({ measured, other }: Ends): Promise<[heap: number, buffers: number]> {
  for (const end of [measured, other]) end?.tell(`round ${MESSAGES}`);
  const [heap, buffers, collections] = (await measured.expect("done", PATIENCE)).map(Number);
  await other?.expect("done", PATIENCE);
  if (collections !== 0) throw new Error("there was a collection during a round");
  return [heap! / MESSAGES, buffers! / MESSAGES];
}

async function profile({ measured, other }: Ends): Promise<Site[]> {
  measured.tell(`profile ${MESSAGES}`);
  other?.tell(`round ${MESSAGES}`);
  const words = await measured.expect("sites", PATIENCE);
  await other?.expect("done", PATIENCE);
  return JSON.parse(words.join(" ")) as Site[];
}

function printSites(title: string, sites: readonly Site[]): void {
  process.stdout.write(`${title}: bytes a message by function, sampled\n`);
  for (const [bytes, name, place] of sites) {
    process.stdout.write(`${(bytes / MESSAGES).toFixed(1).padStart(8)}  ${name} ${place}\n`);
  }
  process.stdout.write("\n");
}

async function measure(way: Way, role: Role, frames: number, rounds: number): Promise<Figure[]> {
  const { contender } = way;
  const what = `${role}, ${frames} ${frames === 1 ? "frame" : "frames"} of ${SIZE} B`;
  const ends = await open(way, role, frames);
  try {
    for (let n = 0; n < WARM_UP; n += 1) await round(ends);
    const figures: [number, number][] = [];
    for (let n = 0; n < rounds; n += 1) figures.push(await round(ends));
    if (way.library !== null) printSites(`${contender}, ${what}`, await profile(ends));
    const unit = "B/message";
    const heap = { what: `${what}: heap`, contender, unit, samples: figures.map(([bytes]) => bytes) };
    if (way.library === null) return [heap];
    return [heap, { what: `${what}: buffers`, contender, unit, samples: figures.map(([, bytes]) => bytes) }];
  } finally {
    await Promise.all([ends.measured.close(), ends.other?.close()]);
  }
}

async function run({ rounds }: ScenarioOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const frames of [1, 2]) {
    for (const role of ["send", "receive"] as const) {
      for (const way of [...ways(), ...BARE[role]]) {
        figures.push(...(await measure(way, role, frames, rounds)));
      }
    }
  }
  return figures;
}

/**
 * Sender and receiver over tcp, each measured by itself. The message sent is the same each time and counts for nothing; what
 * libzmq allocates inside zeromq.js is not seen.
 */
export const allocation: Scenario = {
  name: "allocation",
  title: "Allocation: bytes for each message sent or received (of zeromq.js, what JavaScript allocates)",
  run,
};
