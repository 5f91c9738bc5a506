import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep, within } from "../wait.ts";
import { serverFolder } from "./folder.ts";

const START_MS = 15_000;
/** What a server says when it serves, and a sentinel. */
const READY = /Ready to accept connections|Sentinel ID is/;

/** One process of redis-server with a configuration of its own, in a folder of its own. It never outlives us. */
export class RedisProcess {
  readonly folder: string = serverFolder();
  readonly #arguments: readonly string[];
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  constructor(mode: "server" | "sentinel") {
    this.#arguments = [this.#file("redis.conf"), ...(mode === "sentinel" ? ["--sentinel"] : [])];
  }

  /** The running process; null when there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get log(): string {
    return readFileSync(this.#file("log"), "utf8");
  }

  configure(lines: readonly string[]): void {
    writeFileSync(this.#file("redis.conf"), `${lines.join("\n")}\n`);
  }

  /**
   * Resolves when this process says that it serves: on its port another one may answer, as long as it has not failed to bind. Rejects
   * with the log when it ends before.
   */
  async start(): Promise<void> {
    if (this.#child) throw new Error(`redis-server is already running as process ${this.pid}`);
    const log = openSync(this.#file("log"), "a");
    const before = this.log.length;
    const child = spawn(
      "/usr/bin/setpriv",
      ["--pdeathsig", "KILL", "/usr/bin/redis-server", ...this.#arguments],
      {
        cwd: this.folder,
        stdio: ["ignore", log, log],
      },
    );
    closeSync(log);
    child.unref();
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const ended = (): void => {
        this.#child = null;
        resolve();
      };
      child.once("error", ended).once("exit", ended);
    });
    for (const deadline = performance.now() + START_MS; !READY.test(this.log.slice(before)); await sleep(5)) {
      if (this.#child === null || performance.now() > deadline)
        throw new Error(`redis-server did not start:\n${this.log}`);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Sends the signal and resolves when the process is gone; one that is gone already is fine. */
  async end(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    await within(START_MS, `the end of redis-server, process ${this.pid}`, this.#exited);
  }

  async remove(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #file(name: string): string {
    return join(this.folder, name);
  }
}
