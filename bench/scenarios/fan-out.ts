import { type FanOutCommands, FanOutGroup, type FanOutSample, OURS, programPath } from "./fan-out-group.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

const COUNTS = [1, 10, 100, 1000];
/** Processes that the subscribers are spread over. */
const PROCESSES = 2;
const SIZE = 100;
const HIGH_WATER_MARK = 1000;
/** Seconds of the first warm-up of each contender. */
const WARM_UP = 1;

interface Contender {
  readonly name: string;
  /** It takes part with up to so many subscribers. */
  readonly most: number;
  commands(counts: readonly number[], options: ScenarioOptions): FanOutCommands;
}

function settings(address: string): string[] {
  return ["pub-sub", address, String(SIZE), String(HIGH_WATER_MARK), "0"];
}

function inJavaScript(library: string, publish: string[], subscribe: string[]): Contender["commands"] {
  const command = (program: string, address: string): string[] => [
    process.execPath,
    programPath(program),
    library,
    ...settings(address),
  ];
  return (counts) => ({
    publisher: [...command("publish.mjs", "tcp://127.0.0.1:*"), ...publish],
    subscribers: counts.map((count) => ({
      count,
      command: (address) => [...command("subscribe.mjs", address), String(count), ...subscribe],
    })),
  });
}

const CONTENDERS: readonly Contender[] = [
  { name: "zmtp", most: 1000, commands: inJavaScript(OURS, [], []) },
  { name: "zmtp-batch", most: 1000, commands: inJavaScript(OURS, ["try-send"], ["receive-batch"]) },
  {
    name: "libzmq",
    most: 1000,
    commands: (counts, { libzmq }) => ({
      publisher: [libzmq!.path, "send", ...settings("tcp://127.0.0.1:*")],
      subscribers: counts.map((count) => ({
        count,
        command: (address) => [libzmq!.path, "subscribe", ...settings(address), String(count)],
      })),
    }),
  },
  { name: "zeromq.js", most: 100, commands: inJavaScript("zeromq", ["retry"], []) },
];

function spread(count: number): number[] {
  const processes = Math.min(count, PROCESSES);
  return Array.from(
    { length: processes },
    (_, i) => Math.floor((count * (i + 1)) / processes) - Math.floor((count * i) / processes),
  );
}

function subscribers(count: number): string {
  return count === 1 ? "1 subscriber" : `${count} subscribers`;
}

async function measure(count: number, options: ScenarioOptions): Promise<Figure[]> {
  const contenders = CONTENDERS.filter(
    ({ name, most }) => most >= count && (name !== "libzmq" || options.libzmq !== null),
  );
  const groups: FanOutGroup[] = [];
  const samples: FanOutSample[][] = contenders.map(() => []);
  try {
    for (const { name, commands } of contenders)
      groups.push(await FanOutGroup.start(`${name}, ${count}`, commands(spread(count), options)));
    for (const group of groups) await group.warmUp(WARM_UP);
    for (let round = 0; round < options.rounds; round++) {
      // Another one begins each time, so that nobody always follows the same neighbour.
      for (let i = 0; i < groups.length; i++) {
        const at = (i + round) % groups.length;
        samples[at]!.push(await groups[at]!.measure(options.seconds));
      }
    }
  } finally {
    await Promise.all(groups.map((group) => group.close()));
  }
  const who = subscribers(count);
  return contenders.flatMap(({ name: contender }, i) => {
    const goal = contender.startsWith("zmtp") ? { goal: ">= libzmq" } : {};
    const of = (pick: (sample: FanOutSample) => number): number[] => samples[i]!.map(pick);
    return [
      { what: `${who}, deliveries`, contender, unit: "msg/s", samples: of(({ rate }) => rate), ...goal },
      {
        what: `${who}, publisher's processor time for a delivery`,
        contender,
        unit: "µs",
        samples: of(({ cpuPublisher }) => cpuPublisher),
      },
      {
        what: `${who}, subscriber's processor time for a delivery`,
        contender,
        unit: "µs",
        samples: of(({ cpuSubscribers }) => cpuSubscribers),
      },
    ];
  });
}

/** Small messages to 1 to 1000 subscribers; publishers wait for whoever has no room, so that no delivery is lost. */
export const fanOut: readonly Scenario[] = COUNTS.map((count) => ({
  name: `fan-out ${subscribers(count)}`,
  title: `One PUB, ${subscribers(count)}: topic and 100 bytes, tcp, high-water marks 1000, no drop`,
  run: (options) => measure(count, options),
}));
