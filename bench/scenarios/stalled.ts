import { setTimeout as sleep } from "node:timers/promises";
import { Child, Silence } from "../child.ts";
import { OURS, programPath } from "./fan-out-group.ts";
import type { Figure, Scenario } from "./scenario.ts";

const OTHERS = 99;
const HIGH_WATER_MARK = 1000;
/** The others acknowledge, so that they never fall behind by more: what they lose is not for want of speed. */
const WINDOW = HIGH_WATER_MARK / 2;
const PATIENCE = 30_000;
const SETTLE = 1000;
const WARM_UP = 1000;
const MIB = 1024 * 1024;

interface Round {
  /** Messages per second of each of the others. */
  readonly rate: number;
  /** Resident memory of the publisher at the end, MiB. */
  readonly memory: number;
}

/** A publisher that drops for whoever has no room, 99 subscribers in one process and one in another, which may be stopped. */
class Publication {
  readonly #publisher: Child;
  readonly #others: Child;
  readonly #one: Child;
  #messagesPerSecond = 1000;

  private constructor(publisher: Child, others: Child, one: Child) {
    this.#publisher = publisher;
    this.#others = others;
    this.#one = one;
  }

  static async start(): Promise<Publication> {
    const settings = ["pub-sub", "tcp://127.0.0.1:*", "100", String(HIGH_WATER_MARK)];
    const command = (program: string, address: string, window: number): string[] => {
      const [pattern, , ...rest] = settings;
      return [process.execPath, programPath(program), OURS, pattern!, address, ...rest, String(window)];
    };
    const started: Child[] = [];
    try {
      const publisher = new Child("publisher", command("send.mjs", settings[1]!, WINDOW));
      started.push(publisher);
      const [address] = await publisher.expect("listening", PATIENCE);
      const others = new Child(
        "the others",
        [...command("subscribe.mjs", address!, WINDOW), String(OTHERS)],
        publisher,
      );
      started.push(others);
      const one = new Child("the one", [...command("subscribe.mjs", address!, 0), "1"]);
      started.push(one);
      await Promise.all([others, one].map((child) => child.expect("ready", PATIENCE)));
      await sleep(SETTLE);
      return new Publication(publisher, others, one);
    } catch (error) {
      await Promise.all(started.map((child) => child.close()));
      throw error;
    }
  }

  async warmUp(): Promise<void> {
    const until = performance.now() + WARM_UP;
    while (performance.now() < until) await this.#round(0.2);
  }

  async measure(seconds: number, isStalled: boolean): Promise<Round> {
    if (!isStalled) return this.#round(seconds);
    this.#one.kill("SIGSTOP");
    try {
      return await this.#round(seconds);
    } finally {
      this.#one.kill("SIGCONT");
      await sleep(SETTLE);
    }
  }

  /** @throws when one of the others has missed a message. */
  async #round(seconds: number): Promise<Round> {
    const count = Math.max(100, Math.ceil(this.#messagesPerSecond * seconds));
    this.#others.tell(`round ${count}`);
    await this.#others.expect("go", PATIENCE);
    this.#publisher.tell(`round ${count}`);
    const [, deliveries, nanoseconds] = (await this.#answer(count)).map(Number);
    this.#publisher.tell("end");
    const [, memory] = (await this.#publisher.expect("done", PATIENCE)).map(Number);
    this.#messagesPerSecond = (deliveries! / OTHERS / nanoseconds!) * 1e9;
    return { rate: this.#messagesPerSecond, memory: memory! / MIB };
  }

  async #answer(count: number): Promise<string[]> {
    try {
      return await this.#others.expect("done", PATIENCE);
    } catch (error) {
      if (!(error instanceof Silence)) throw error;
      this.#others.kill("SIGTERM");
      const [received] = await this.#others.expect("stopped", PATIENCE);
      throw new Error(`the others lost ${count * OTHERS - Number(received)} of ${count * OTHERS} messages`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher, this.#others, this.#one].map((child) => child.close()));
  }
}

/** A round only counts, and the scenario only goes on, when the others have received every message. */
export const stalled: Scenario = {
  name: "stalled",
  title: "100 subscribers, one of which stops reading: what the 99 others receive, all of it",
  async run({ rounds, seconds }) {
    const publication = await Publication.start();
    const reading: Round[] = [];
    const stopped: Round[] = [];
    try {
      await publication.warmUp();
      for (let round = 0; round < rounds; round++) {
        reading.push(await publication.measure(seconds, false));
        stopped.push(await publication.measure(seconds, true));
      }
    } finally {
      await publication.close();
    }
    const contender = "zmtp";
    const figure = (what: string, unit: string, samples: number[], goal?: string): Figure => ({
      ...{ what, contender, unit, samples },
      ...(goal === undefined ? {} : { goal }),
    });
    return [
      figure(
        "all reading, each of the others",
        "msg/s",
        reading.map(({ rate }) => rate),
      ),
      figure(
        "one stopped, each of the others",
        "msg/s",
        stopped.map(({ rate }) => rate),
        ">= 0.9 of all reading",
      ),
      figure(
        "all reading, publisher's memory",
        "MiB",
        reading.map(({ memory }) => memory),
      ),
      figure(
        "one stopped, publisher's memory",
        "MiB",
        stopped.map(({ memory }) => memory),
        "bounded",
      ),
    ];
  },
};
