import { Child } from "../child.ts";
import { OURS, programPath } from "./fan-out-group.ts";
import type { Figure, Scenario } from "./scenario.ts";

const PATTERNS = ["push-pull", "pub-sub"] as const;
/** How the two ends call the sockets. */
const WAYS = [
  ["send", "receive"],
  ["try-send", "receive-batch"],
] as const;
const NAMES: Readonly<Record<string, string>> = {
  send: "await send()",
  "try-send": "trySend()",
  receive: "for await",
  "receive-batch": "receiveBatch()",
};
const PATIENCE = 30_000;
/** Rounds that are not counted, and their seconds. */
const WARM_UP = 1;
const MIB = 1024 * 1024;

/** What a process told of a round. */
interface Told {
  readonly rate: number;
  /** ms of the interval. */
  readonly p50: number;
  readonly p99: number;
  /** ms for a message of the other pair. */
  readonly trip: number;
  /** MiB. */
  readonly growth: number;
}

async function told(child: Child): Promise<Told> {
  const [count, elapsed, p50, p99, trip, growth] = (await child.expect("done", PATIENCE)).map(Number);
  return { rate: (count! / elapsed!) * 1000, p50: p50!, p99: p99!, trip: trip!, growth: growth! / MIB };
}

function figuresOf(who: string, isSender: boolean, rounds: readonly Told[]): Figure[] {
  const of = (what: string, unit: string, pick: (one: Told) => number, goal?: string): Figure => ({
    what: `${who}, ${what}`,
    contender: "zmtp",
    unit,
    samples: rounds.map(pick),
    ...(goal === undefined ? {} : { goal }),
  });
  return [
    of(isSender ? "sent" : "received", "msg/s", ({ rate }) => rate),
    of("lateness of a 10 ms interval, p50", "ms", ({ p50 }) => p50),
    of("lateness of a 10 ms interval, p99", "ms", ({ p99 }) => p99, "< 30 ms"),
    of("a message of another pair of sockets, p99", "ms", ({ trip }) => trip),
    of("growth of memory in a round", "MiB", ({ growth }) => growth, "bounded"),
  ];
}

async function measure(
  pattern: (typeof PATTERNS)[number],
  [send, receive]: (typeof WAYS)[number],
  rounds: number,
  seconds: number,
): Promise<Figure[]> {
  const command = (address: string, way: string): string[] => [
    ...[process.execPath, programPath("saturate.mjs"), OURS, pattern, address, "100", "1000", "0", way],
  ];
  const children: Child[] = [];
  const all: [Told, Told][] = [];
  try {
    const sender = new Child("the sender", command("tcp://127.0.0.1:*", send));
    children.push(sender);
    const [address] = await sender.expect("listening", PATIENCE);
    const receiver = new Child("the receiver", command(address!, receive));
    children.push(receiver);
    await receiver.expect("ready", PATIENCE);
    for (let round = -WARM_UP; round < rounds; round++) {
      for (const child of children) child.tell(`round ${seconds * 1000}`);
      const both = await Promise.all([told(sender), told(receiver)]);
      if (round >= 0) all.push(both);
    }
  } finally {
    await Promise.all(children.map((child) => child.close()));
  }
  const names = pattern === "push-pull" ? ["PUSH", "PULL"] : ["PUB", "SUB"];
  return [
    ...figuresOf(
      `${names[0]}, ${NAMES[send]}`,
      true,
      all.map(([one]) => one),
    ),
    ...figuresOf(
      `${names[1]}, ${NAMES[receive]}`,
      false,
      all.map(([, one]) => one),
    ),
  ];
}

/** Both ends do nothing but send and receive; in each process a timer and another pair of sockets want their turn. */
export const saturating: Scenario = {
  name: "saturating",
  title:
    "A sender and a receiver that never stop, 100 bytes, tcp, high-water marks 1000: the rest of their processes",
  async run({ rounds, seconds }) {
    const figures: Figure[] = [];
    for (const pattern of PATTERNS)
      for (const way of WAYS) figures.push(...(await measure(pattern, way, rounds, seconds)));
    return figures;
  },
};
