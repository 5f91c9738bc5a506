/**
 * npm run fuzz -- --minutes N [--seed S] [--workers W] [--inputs N]
 * npm run fuzz -- --replay TARGET:CHOICE:CUTS:HEX
 *
 * Feeds the engine with bytes until the time or the number of inputs (of each worker) is reached. Exit code 1 when an input breaks a rule: it
 * is printed as the command that runs it again.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { readCase, run, spell } from "./fuzzer.ts";
import { type Job, Slate } from "./slate.ts";

/** A worker that is so long at one input hangs, on however loaded a machine. */
const HANGS = 60_000;
const REPORT = 10_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    workers: { type: "string", default: "2" },
    inputs: { type: "string" },
    replay: { type: "string" },
  },
});

if (values.replay !== undefined) replay(values.replay);
else await fuzz();

function replay(spelled: string): void {
  const signature = run(readCase(spelled));
  console.log(`no rule broken, signature ${signature.toString(16)}`);
}

async function fuzz(): Promise<void> {
  const seed = number("seed", values.seed ?? String(randomInt(2 ** 31)));
  const begin = Date.now();
  const until = begin + number("minutes", values.minutes) * 60_000;
  const inputs = values.inputs === undefined ? Number.POSITIVE_INFINITY : number("inputs", values.inputs);
  console.log(`seed ${seed}`);
  const slates = Array.from({ length: number("workers", values.workers) }, () => new Slate());
  const timer = setInterval(() => report(slates, begin), REPORT);
  const work = slates.map((slate, i) => watch(slate, { seed: seed + i, until, inputs, slate: slate.memory }));
  const findings = (await Promise.all(work)).filter((finding) => finding !== null);
  clearInterval(timer);
  report(slates, begin);
  for (const finding of findings) console.error(`\n${finding}`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}

/** @returns what went wrong, or `null`. */
async function watch(slate: Slate, job: Job): Promise<string | null> {
  const worker = new Worker(new URL("worker.mjs", import.meta.url), { workerData: job });
  const again = (): string => `seed ${job.seed}; again: npm run fuzz -- --replay ${spell(slate.read())}`;
  let pulse = -1;
  let hung: string | null = null;
  const timer = setInterval(() => {
    if (slate.pulse === pulse && pulse > 0) {
      hung = `one input takes more than ${HANGS / 1000} s\n${again()}`;
      void worker.terminate();
    }
    pulse = slate.pulse;
  }, HANGS);
  try {
    return await new Promise<string | null>((resolve) => {
      worker.once("error", (error) => resolve(`${error.stack}\n${again()}`));
      worker.once("exit", () => resolve(hung));
    });
  } finally {
    clearInterval(timer);
  }
}

function report(slates: readonly Slate[], begin: number): void {
  const seconds = (Date.now() - begin) / 1000;
  const count = slates.reduce((sum, slate) => sum + slate.count, 0);
  const signatures = Math.max(...slates.map((slate) => slate.signatures));
  const rate = Math.round(count / seconds);
  console.log(`${seconds.toFixed(0)} s: ${count} inputs, ${rate} a second, ${signatures} ways to behave`);
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new TypeError(`--${name} must be a number, not ${text}`);
}
