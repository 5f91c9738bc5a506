import { fileURLToPath } from "node:url";
import { Child } from "../child.ts";
import { Figures } from "./figures.ts";
import type { Figure, Scenario, ScenarioOptions } from "./scenario.ts";

const COUNTS = [1, 100, 10_000];
const PATIENCE = 60_000;
const PROGRAM = fileURLToPath(new URL("../programs/idle.mjs", import.meta.url));
const CONTENDERS = { zmtp: new URL("../../dist/index.js", import.meta.url).href, net: "net" };

/** A child that may open as many files as the system lets it. */
function child(name: string, ...args: string[]): Child {
  const command = [process.execPath, "--expose-gc", PROGRAM, ...args];
  return new Child(name, ["/bin/sh", "-c", 'ulimit -n "$(ulimit -Hn)"; exec "$@"', "sh", ...command]);
}

async function ask(child: Child, line: string): Promise<number[]> {
  child.tell(line);
  return (await child.expect(line.split(" ")[0] as string, PATIENCE)).map(Number);
}

async function measure(contender: string, library: string, count: number, figures: Figures): Promise<void> {
  const listener = child("listener", library, "listen");
  const children = [listener];
  try {
    const [address] = await listener.expect("listening", PATIENCE);
    const dialler = child("dialler", library, address as string, String(count));
    children.push(dialler);
    // One before, for what is made once for all.
    dialler.tell("dial 1");
    await dialler.expect("dialled", PATIENCE);
    await Promise.all([ask(listener, "start"), ask(dialler, "start")]);
    dialler.tell(`dial ${count}`);
    await dialler.expect("dialled", PATIENCE);
    const ends = await Promise.all([ask(listener, `idle ${count}`), ask(dialler, `idle ${count}`)]);
    for (const [i, end] of ["accepted", "dialled"].entries()) {
      const [held, rss, busy, idle] = ends[i] as number[];
      const label = `${count} connections, ${end}`;
      const goal = contender === "zmtp" && count === 10_000 ? "<= 8192" : undefined;
      figures.add(contender, `${label}: heap and buffers`, "bytes", held as number, goal);
      figures.add(contender, `${label}: process memory`, "bytes", rss as number);
      figures.add(contender, `${label}: CPU to make one`, "us", busy as number);
      figures.add(contender, `${label}: CPU while idle`, "of a core", idle as number);
    }
  } finally {
    for (const child of children) await child.close();
  }
}

export const idle: Scenario = {
  name: "idle",
  title: "Connections on which nothing happens, for each of them",
  async run({ rounds }: ScenarioOptions): Promise<Figure[]> {
    const figures = new Figures();
    const times = Math.min(rounds, 3);
    for (let round = 0; round < times; round += 1) {
      for (const count of COUNTS) {
        for (const [name, library] of Object.entries(CONTENDERS))
          await measure(name, library, count, figures);
      }
    }
    return figures.all();
  },
};
