import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem } from "node:os";

/** Where, when and with what something was measured. */
export interface Machine {
  date: string;
  /** With "+changes" if the work tree differs from it, what earlier runs saved left aside. */
  commit: string;
  cpu: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  node: string;
  /** zeromq.js, and the libzmq inside it. */
  zeromqJs: string;
  /** The libzmq that the C program runs with. */
  libzmq: string | null;
  /** Over 1, 5 and 15 minutes, before the first round. */
  loadAverage: number[];
}

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: new URL(".", import.meta.url), encoding: "utf8" }).trim();
}

function commit(): string {
  try {
    return (
      git("rev-parse", "--short=10", "HEAD") +
      (git("status", "--porcelain", "--", ":/", ":(top,exclude)bench/results") === "" ? "" : "+changes")
    );
  } catch {
    return "not in a git work tree";
  }
}

function zeromqJs(): string {
  const require = createRequire(import.meta.url);
  const manifest = readFileSync(require.resolve("zeromq/package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  return `${version} (libzmq ${(require("zeromq") as { version: string }).version})`;
}

export function describeMachine(libzmq: string | null): Machine {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    zeromqJs: zeromqJs(),
    libzmq,
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}
