import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { sleep, within } from "../wait.ts";
import { serverFolder } from "./folder.ts";

const START_MS = 15_000;

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

  /** Resolves when the port accepts connections, rejects with the log when the process ends before. */
  async start(port: number): Promise<void> {
    if (this.#child) throw new Error(`redis-server is already running as process ${this.pid}`);
    const log = openSync(this.#file("log"), "a");
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
    for (const deadline = performance.now() + START_MS; !(await accepts(port)); await sleep(5)) {
      if (this.#child === null || performance.now() > deadline)
        throw new Error(`redis-server did not start on port ${port}:\n${this.log}`);
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

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
