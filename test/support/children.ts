import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach } from "vitest";
import { within } from "./wait.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const STDERR_KEPT = 16 * 1024;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A child process that is talked to in lines: its standard input and output are read and written line by line. */
export class Child {
  readonly process: ChildProcess;
  /** Settles when the process has ended and its output was read to the end. */
  readonly exited: Promise<Exit>;
  readonly #unread: string[] = [];
  readonly #listeners = new Set<() => void>();
  #stderr = "";
  #exit: Exit | null = null;

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: "pipe" });
    this.process.stdin?.on("error", () => {}); // EPIPE: the end itself is reported by `exited`
    this.process.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_KEPT);
    });
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.#unread.push(line);
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#exit = { code, signal };
        resolve(this.#exit);
        this.#wake();
      };
      this.process.once("error", (error) => {
        this.#stderr += String(error);
        ended(null, null);
      });
      this.process.once("close", ended);
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** The last 16 KiB that the process wrote to its standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  get exit(): Exit | null {
    return this.#exit;
  }

  write(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  /**
   * The next line that matches; lines before it are skipped for good. Rejects when the process ends without it, or after
   * `milliseconds`, with what the process wrote to its standard error.
   */
  line(match: RegExp | ((line: string) => boolean), milliseconds = 30_000): Promise<string> {
    const matches = typeof match === "function" ? match : (line: string) => match.test(line);
    let check = (): void => {};
    const found = new Promise<string>((resolve, reject) => {
      check = () => {
        const at = this.#unread.findIndex(matches);
        if (at >= 0) {
          const [line] = this.#unread.splice(0, at + 1).slice(-1);
          resolve(line!);
        } else if (this.#exit) {
          reject(new Error(`ended (${JSON.stringify(this.#exit)}) before ${match}: ${this.#stderr}`));
        } else return;
        this.#listeners.delete(check);
      };
      this.#listeners.add(check);
      check();
    });
    const what = `${match} from process ${this.pid}; its standard error: ${this.#stderr}`;
    return within(milliseconds, what, found).finally(() => this.#listeners.delete(check));
  }

  /** Calls back for every line from now on, in order; `line` must not be used beside it. */
  onLine(callback: (line: string) => void): void {
    const drain = (): void => {
      for (const line of this.#unread.splice(0)) callback(line);
    };
    this.#listeners.add(drain);
    drain();
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#exit) this.process.kill(name);
  }

  /** SIGKILL, which a stopped process obeys too; resolves when the process is gone. */
  async kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return within(30_000, `the end of process ${this.pid}`, this.exited);
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Starts children and sees to it that none outlives its owner, however the test ends. */
export class Children {
  readonly #running = new Set<Child>();
  readonly #killAll = (): void => {
    for (const child of this.#running) child.signal("SIGKILL");
  };

  start(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Child {
    const child = new Child(command, args, env);
    if (this.#running.size === 0) process.on("exit", this.#killAll);
    this.#running.add(child);
    void child.exited.then(() => {
      this.#running.delete(child);
      if (this.#running.size === 0) process.off("exit", this.#killAll);
    });
    return child;
  }

  /** A Node process that runs a TypeScript file, given by URL or by its path from the project's root. */
  node(file: URL | string, args: readonly string[] = [], env?: Readonly<Record<string, string>>): Child {
    const path = typeof file === "string" ? file : fileURLToPath(file);
    return this.start(process.execPath, ["--import", "tsx", path, ...args], env);
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => child.kill()));
  }
}

/** Children that are killed after each test, or after the last one. Called at the top of a file or of a `describe`. */
export function useChildren(lifetime: "test" | "file" = "test"): Children {
  const children = new Children();
  (lifetime === "test" ? afterEach : afterAll)(() => children.killAll());
  return children;
}
