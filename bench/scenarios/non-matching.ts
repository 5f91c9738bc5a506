import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "../child.ts";
import { FanOutGroup, OURS, programPath } from "./fan-out-group.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

/** Connected peers that have subscribed to other topics. */
const COUNTS = [0, 100, 1000];
const PATIENCE = 30_000;
const SETTLE = 500;
const WARM_UP = 1;

/** One publisher with one subscriber of its topic, and peers of other topics in a process of their own. */
class Crowd {
  readonly #group: FanOutGroup;
  readonly #others: Child;

  private constructor(group: FanOutGroup, others: Child) {
    this.#group = group;
    this.#others = others;
  }

  static async start(count: number, contender: string, { libzmq }: ScenarioOptions): Promise<Crowd> {
    const settings = (address: string): string[] => ["pub-sub", address, "100", "1000", "0"];
    const ours = (program: string, address: string): string[] => [
      ...[process.execPath, programPath(program), OURS, ...settings(address)],
    ];
    const own = "tcp://127.0.0.1:*";
    const publisher =
      contender === "libzmq"
        ? [libzmq!.path, "send", ...settings(own)]
        : [...ours("publish.mjs", own), "try-send"];
    const command = (address: string): string[] => [...ours("subscribe.mjs", address), "1", "receive-batch"];
    const name = `${contender}, ${count} others`;
    const group = await FanOutGroup.start(name, { publisher, subscribers: [{ count: 1, command }] });
    const others = new Child(name, [...ours("subscribe-others.mjs", group.address), String(count)]);
    const crowd = new Crowd(group, others);
    try {
      await others.expect("ready", PATIENCE);
      await sleep(SETTLE);
      await group.warmUp(WARM_UP);
      return crowd;
    } catch (error) {
      await crowd.close();
      throw error;
    }
  }

  /** µs of the publisher's processor time for a message, and bytes that have come to the others. */
  async measure(seconds: number): Promise<{ time: number; bytes: number }> {
    this.#others.tell("round 0");
    await this.#others.expect("done", PATIENCE);
    const { cpuMessage } = await this.#group.measure(seconds);
    this.#others.tell("round 0");
    const [bytes] = (await this.#others.expect("done", PATIENCE)).map(Number);
    return { time: cpuMessage, bytes: bytes! };
  }

  async close(): Promise<void> {
    await Promise.all([this.#group.close(), this.#others.close()]);
  }
}

async function measure(contender: string, options: ScenarioOptions): Promise<Figure[]> {
  const crowds: Crowd[] = [];
  const times: number[][] = COUNTS.map(() => []);
  const bytes: number[][] = COUNTS.map(() => []);
  try {
    for (const count of COUNTS) crowds.push(await Crowd.start(count, contender, options));
    for (let round = 0; round < options.rounds; round++) {
      for (let i = 0; i < crowds.length; i++) {
        const at = (i + round) % crowds.length;
        const sample = await crowds[at]!.measure(options.seconds);
        times[at]!.push(sample.time);
        bytes[at]!.push(sample.bytes);
      }
    }
  } finally {
    await Promise.all(crowds.map((crowd) => crowd.close()));
  }
  return COUNTS.flatMap((count, i): Figure[] => {
    const who = `${count} others`;
    const time = { what: `${who}, publisher's processor time for a message`, contender, unit: "µs" };
    if (count === 0) return [{ ...time, samples: times[i]! }];
    const extra = times[i]!.map((one, round) => ((one - times[0]![round]!) / count) * 1000);
    return [
      { ...time, samples: times[i]! },
      {
        what: `${who}, more than with none, for each`,
        contender,
        unit: "ns",
        samples: extra,
        goal: "<= 100 ns",
      },
      { what: `${who}, bytes to them in a round`, contender, unit: "bytes", samples: bytes[i]!, goal: "0" },
    ];
  });
}

/** What those cost a publisher that want none of its messages: the processor's time by the message, and bytes. */
export const nonMatching: Scenario = {
  name: "non-matching",
  title:
    "One PUB, one SUB that gets every message (topic and 100 bytes, tcp), and others that have other topics",
  async run(options) {
    const contenders = options.libzmq === null ? ["zmtp-batch"] : ["zmtp-batch", "libzmq"];
    const figures: Figure[] = [];
    for (const contender of contenders) figures.push(...(await measure(contender, options)));
    return figures;
  },
};
