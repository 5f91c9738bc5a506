import { beforeAll, describe, expect, it } from "vitest";
import { type Child, useChildren } from "../support/children.ts";

const PATIENCE = 120_000;
/** MiB that the heap may differ by from one measurement to the next: compiled code, caches of the engine's. */
const NOISE = 3;

interface Left {
  heap: number;
  handles: number;
  timers: number;
  listeners: number;
}

describe("N-10, nothing is left behind", () => {
  const children = useChildren("file");
  let program: Child;
  beforeAll(() => {
    const file = new URL("./programs/churn.ts", import.meta.url).pathname;
    program = children.start(process.execPath, ["--expose-gc", "--import", "tsx", file]);
  });

  it.runIf(process.platform === "linux").each([
    ["5000 over tcp", "5000 cycles of connect, subscribe and close over tcp"],
    ["5000 over ipc", "5000 cycles of connect, subscribe and close over ipc"],
    ["dials", "E30: 10 000 failed dials by 1000 sockets"],
    ["subscriptions", "a million topics subscribed to and given up"],
  ])(
    "%s: %s",
    async (name) => {
      const line = await program.line((said) => said.includes(`"name":${JSON.stringify(name)}`), PATIENCE);
      const { before, after } = JSON.parse(line) as { before: Left; after: Left };
      expect(after.heap - before.heap).toBeLessThan(NOISE);
      expect({ ...after, heap: 0 }).toEqual({ ...before, heap: 0 });
    },
    PATIENCE,
  );
});
