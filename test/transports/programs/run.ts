import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { atEnd } from "../helpers.ts";

export interface Program {
  readonly child: ChildProcess;
  /** Resolves with the next line that it prints. */
  line(): Promise<string>;
  /** Resolves with its exit code (null: killed) and all it printed. */
  finished: Promise<{ code: number | null; output: string }>;
}

/** Starts a program of this folder; it is killed at the end of the test at the latest. */
export function run(name: string, ...args: string[]): Program {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let read = 0;
  let look = (): void => {};
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    look();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const finished = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, output }));
  });
  atEnd(async () => {
    child.kill("SIGKILL");
    await finished;
  });
  const line = (): Promise<string> =>
    new Promise((resolve) => {
      look = () => {
        const end = output.indexOf("\n", read);
        if (end < 0) return;
        const text = output.slice(read, end);
        read = end + 1;
        look = () => {};
        resolve(text);
      };
      look();
    });
  return { child, line, finished };
}
