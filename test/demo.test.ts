import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stablePort } from "./support/ports.ts";
import { describeWithRedis, startRedis, startRedisCluster } from "./support/redis-server.ts";

const START = fileURLToPath(new URL("../scripts/start.mjs", import.meta.url));
/** ms for a run of a few seconds, on a machine that is busy with other things. */
const LONG = 120_000;

/** Where the demo puts its files: nothing else is here, and nothing is to be left. */
let folder: string;
const started: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zmtp-demo-test-"));
});

afterEach(() => {
  for (const demo of started.splice(0)) if (demo.exitCode === null) demo.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

class Run {
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;

  /** In a process group of its own, as a terminal starts it. */
  constructor(...args: string[]) {
    this.process = spawn(process.execPath, [START, ...args], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    started.push(this.process);
    this.process.stdout!.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.process.stderr!.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.ended = once(this.process, "close") as Run["ended"];
  }

  /** Resolves when the output has come to a match. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout);
      if (found !== null) return found;
      if (this.process.exitCode !== null) throw new Error(`ended early: ${this.stdout}${this.stderr}`);
      await sleep(20);
    }
  }

  /** The ids of all its processes, once they are all there. */
  async processes(): Promise<number[]> {
    const [line] = await this.says(/^store .*process ids\)$/m);
    return [...line.matchAll(/\d+/g)].map(Number);
  }

  /** What Ctrl-C does: a signal to all processes of the terminal's foreground. */
  interrupt(): void {
    process.kill(-this.process.pid!, "SIGINT");
  }

  get summary(): Record<string, string>[] {
    const lines = this.stdout.split("\n");
    const top = lines.findIndex((line) => /^controller +sent /.test(line));
    const cells = (line: string): string[] => line.trim().split(/ {2,}/);
    const names = cells(lines[top]!);
    const rows = lines.slice(top + 1).filter((line) => /^ *\d+ .* D$/.test(line));
    return rows.map((row) => Object.fromEntries(cells(row).map((cell, index) => [names[index], cell])));
  }
}

/** Nothing is missing without a sync, and there was one sync for each controller. */
function expectSums({ summary }: Run): void {
  expect(summary).toHaveLength(4);
  for (const { sent, received, covered, ...rest } of summary) {
    expect(Number(sent)).toBe(Number(received) + Number(covered));
    expect(Number(received)).toBeGreaterThan(0);
    expect(rest).toMatchObject({ uncovered: "0", refused: "0", syncs: "1", copy: "equal" });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // Where nobody asks for the exit code of a dead process, it stays in the list.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}

describe("npm start", () => {
  it(
    "kills the service, accounts for every event and ends with 0",
    async () => {
      const run = new Run("--seconds", "6");
      const pids = await run.processes();
      expect(pids).toHaveLength(1 + 1 + 3 + 4);
      expect(await run.ended, run.stdout + run.stderr).toEqual([0, null]);
      expect(run.stdout).toMatch(/^publisher service \d+ killed \(SIGKILL\)$/m);
      expect(run.stdout).toMatch(/^OK: /m);
      expect(run.stderr).toBe("");
      expect(run.stdout, "no terminal, so no escape sequences").not.toContain("\u001b");
      expectSums(run);
      for (const { duplicates } of run.summary) expect(duplicates).toBe("0");
      expect(run.summary.some(({ covered }) => Number(covered) > 0)).toBe(true);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "goes through a Redis broker of its own with --driver redis: the same sums, without a service",
    async () => {
      const run = new Run("--driver", "redis", "--seconds", "3", "--rate", "2000");
      const pids = await run.processes();
      expect(pids).toHaveLength(1 + 1 + 3 + 4);
      expect(await run.ended, run.stdout + run.stderr).toEqual([0, null]);
      expect(run.stdout).toMatch(/^Redis broker \d+ killed \(SIGKILL\)$/m);
      expect(run.stdout).toMatch(/^Kills of the Redis broker: 1\nOK: /m);
      expect(run.stderr).toBe("");
      expectSums(run);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "ends with 1 when a controller misses one event",
    async () => {
      const run = new Run(
        ...["--seconds", "2", "--drop-one", "--wire", "json", "--rate", "500"],
        ...["--writers", "1", "--controllers", "2", "--value-size", "300"],
      );
      expect(await run.ended, run.stdout + run.stderr).toEqual([1, null]);
      expect(run.stdout).toMatch(/^FAILED: controller 1: 1 events neither received nor covered by a sync$/m);
      expect(run.summary.map(({ uncovered }) => uncovered)).toEqual(["1", "0"]);
      expect(run.summary.map(({ syncs }) => syncs)).toEqual(["1", "1"]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it.each([[["--fast"]], [["--writers", "0"]], [["--wire", "xml"]]])(
    "refuses %j with 2",
    async (args) => {
      const run = new Run(...args);
      expect(await run.ended).toEqual([2, null]);
      expect(run.stderr).toContain(args[0]);
      expect(run.stderr).toContain("--help");
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "ends all its processes on Ctrl-C, and leaves no file",
    async () => {
      const run = new Run("--seconds", "60");
      const pids = await run.processes();
      run.interrupt();
      expect(await run.ended).toEqual([130, null]);
      expect(run.stderr).toBe("");
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it.each([
    ["it is being built", /zmtp-demo-/],
    ["its processes start", /events\.sock/],
  ])(
    "ends on Ctrl-C while %s, and leaves no file",
    async (_, file) => {
      const run = new Run();
      while (!readdirSync(folder, { recursive: true }).some((name) => file.test(String(name))))
        await sleep(1);
      run.interrupt();
      expect(await run.ended, run.stderr).toEqual([130, null]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "ends all its processes when nobody reads its output any more",
    async () => {
      const run = new Run("--seconds", "60");
      const pids = await run.processes();
      run.process.stdout!.destroy();
      expect(await run.ended).toEqual([141, null]);
      expect(run.stderr).toBe("");
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "shows its summary on Ctrl-C with --forever",
    async () => {
      const run = new Run("--forever", "--rate", "1000");
      await run.says(/^ +[1-9]\d*\.\d s/m);
      run.interrupt();
      expect(await run.ended, run.stdout + run.stderr).toEqual([0, null]);
      expect(run.summary.map(({ syncs }) => syncs)).toEqual(["0", "0", "0", "0"]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "takes all its processes and files along when it is killed",
    async () => {
      const run = new Run("--seconds", "60");
      const pids = await run.processes();
      run.process.kill("SIGKILL");
      await run.ended;
      const end = Date.now() + 30_000;
      while ((pids.some(isRunning) || readdirSync(folder).length > 0) && Date.now() < end) await sleep(20);
      expect(pids.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it(
    "fails when one of its processes dies that is not to die",
    async () => {
      const run = new Run("--seconds", "60", "--rate", "100");
      const [store, ...others] = await run.processes();
      process.kill(store!, "SIGKILL");
      expect(await run.ended).toEqual([1, null]);
      expect(run.stderr).toContain("FAILED: ");
      expect(others.filter(isRunning)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );
});

describeWithRedis("npm start -- --driver redis --redis HOST:PORT", () => {
  it(
    "says so when nobody is there",
    async () => {
      const server = `127.0.0.1:${await stablePort()}`;
      const run = new Run("--driver", "redis", "--redis", server);
      expect(await run.ended, run.stdout + run.stderr).toEqual([1, null]);
      expect(run.stderr).toMatch(new RegExp(`^FAILED: --redis ${server}: .*ECONNREFUSED`));
      expect(readdirSync(folder)).toEqual([]);
    },
    LONG,
  );

  it.each([
    ["a server", () => startRedis()],
    // A node that waits for half of the timeout breaks its links, and what was on them is lost.
    ["a cluster", () => startRedisCluster({ masters: 3, replicas: 0, nodeTimeout: 15_000 })],
  ])(
    "goes through %s, where its connections are killed half-way",
    async (_, start) => {
      await using redis = await start();
      const { port } = "nodes" in redis ? redis.nodes[1]! : redis;
      const run = new Run(
        "--driver",
        "redis",
        "--redis",
        `127.0.0.1:${port}`,
        "--seconds",
        "2",
        "--rate",
        "1000",
      );
      expect(await run.ended, run.stdout + run.stderr).toEqual([0, null]);
      expect(run.stdout).toMatch(/^7 connections to Redis killed$/m);
      expect(run.stderr).toBe("");
      expectSums(run);
    },
    LONG,
  );
});
