import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import { Figures } from "./figures.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

/** Topics, and the peers that they are spread over. */
const CASES: readonly (readonly [topics: number, peers: number])[] = [
  [1, 1],
  [1000, 1],
  [100_000, 1],
  [1_000_000, 1],
  [1_000_000, 10],
];
/** From so many on memory is told: before, what is made once counts for more. */
const MANY = 100_000;
const PATIENCE = 120_000;

const OURS = new URL("../../dist/index.js", import.meta.url).href;

function script(name: string, ...args: string[]): string[] {
  const path = fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url));
  return [process.execPath, "--expose-gc", path, OURS, ...args];
}

async function numbers(child: Child, line: string): Promise<number[]> {
  child.tell(line);
  const words = await child.expect(line.split(" ")[0] as string, PATIENCE);
  return words.map(Number);
}

async function measureOurs(topics: number, peers: number, figures: Figures): Promise<void> {
  const label = `${topics} topics${peers > 1 ? ` of ${peers} peers` : ""}`;
  const add = (what: string, unit: string, sample: number | undefined, goal?: string): void =>
    figures.add("zmtp", `${label}, ${what}`, unit, sample as number, goal);
  const publisher = new Child("publisher", script("topics-publish"));
  const children = [publisher];
  try {
    const [address] = await publisher.expect("listening", PATIENCE);
    const subscriber = new Child("subscriber", script("topics-subscribe", address as string, String(peers)));
    children.push(subscriber);
    await subscriber.expect("connected", PATIENCE);
    await numbers(publisher, "start");
    const [took, block, held] = await numbers(subscriber, `subscribe ${topics}`);
    const [taking, heldThere, rssThere] = await numbers(publisher, `filled ${topics}`);
    const [match] = await numbers(publisher, `match ${topics}`);
    add("a message for nobody", "ns", match, topics === 1_000_000 ? "match <= 1000 ns" : undefined);
    if (topics < MANY) return;
    add("memory at the publisher", "bytes/topic", heldThere, "<= libzmq's or 150");
    add("process memory at the publisher", "bytes/topic", rssThere);
    add("memory at the subscriber", "bytes/topic", held);
    add("a call of subscribe()", "ns", ((took as number) * 1e6) / topics);
    add("longest block of the publisher, taking them in", "ms", taking, "<= 50 ms");
    add("longest block of the subscriber, after the calls", "ms", block, "<= 50 ms");
    await numbers(publisher, "block");
    const [again] = await numbers(subscriber, "again");
    const [lost] = await numbers(publisher, "block");
    add("longest block of the subscriber, connected again", "ms", again, "<= 50 ms");
    add("longest block of the publisher, connected again", "ms", lost, "<= 50 ms");
    subscriber.tell("leave");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const [gone] = await numbers(publisher, "block");
    add("longest block of the publisher, when the peer goes", "ms", gone, "<= 50 ms");
  } finally {
    for (const child of children) await child.close();
  }
}

/** One program is told of all topics by our subscriber, as in the others; its own memory is that of the process. */
async function measureLibzmq(topics: number, program: string, figures: Figures): Promise<void> {
  const add = (what: string, unit: string, sample: number | undefined): void =>
    figures.add("libzmq", `${topics} topics, ${what}`, unit, sample as number);
  const publisher = new Child("libzmq", [program, "topics", "publish", String(topics)]);
  const children = [publisher];
  try {
    const [address] = await publisher.expect("listening", PATIENCE);
    const subscriber = new Child("subscriber", [program, "topics", address as string, String(topics)]);
    children.push(subscriber);
    const [there] = await subscriber.expect("subscribed", PATIENCE);
    const [here] = await publisher.expect("filled", PATIENCE);
    const [match] = await numbers(publisher, "match");
    add("a message for nobody", "ns", match);
    if (topics < MANY) return;
    add("process memory at the publisher", "bytes/topic", Number(here));
    add("process memory at the subscriber", "bytes/topic", Number(there));
  } finally {
    for (const child of children) await child.close();
  }
}

export const subscriptions: Scenario = {
  name: "subscriptions",
  title: "Many topics: memory, the time of a match, and how long the event loop is held up",
  async run({ rounds, libzmq }: ScenarioOptions): Promise<Figure[]> {
    const figures = new Figures();
    // A million topics take some seconds to send: one round is as good as five.
    const times = Math.min(rounds, 3);
    for (let round = 0; round < times; round += 1) {
      for (const [topics, peers] of CASES) {
        await measureOurs(topics, peers, figures);
        if (libzmq !== null && peers === 1) await measureLibzmq(topics, libzmq.path, figures);
      }
    }
    return figures.all();
  },
};
