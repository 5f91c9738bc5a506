import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A TypeScript program of this repository, run as a process of its own. */
export class Command {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  #output = "";
  #errors = "";
  #changed: () => void = () => {};
  /** It has ended, and all that it said is here. */
  #isRead = false;

  /** @param program its path in this repository. @param env goes before our own environment; DF_ variables are not inherited. */
  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DF_"));
    this.#child = spawn(process.execPath, ["--import", "tsx", program, ...args], {
      cwd: root,
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#changed();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
      this.#changed();
    });
    this.#child.stdin!.on("error", () => {}); // it may end before it has read everything
    this.#exit = once(this.#child, "close").then(([code]) => {
      this.#isRead = true;
      this.#changed();
      return code as number | null;
    });
  }

  /** Everything from standard output so far. */
  get output(): string {
    return this.#output;
  }

  /** Everything from standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits until one of its outputs says this: also what is read when it has ended already. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#output) ?? pattern.exec(this.#errors);
      if (match !== null) return match;
      if (this.#isRead) throw new Error(`ended without ${pattern}:\n${this.#output}${this.#errors}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** Writes to its standard input. */
  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** Ends its standard input. */
  endInput(): void {
    this.#child.stdin!.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** @returns the exit code; null when a signal ended it. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  /** For clean-up. */
  async kill(): Promise<void> {
    if (this.running) this.#child.kill("SIGKILL");
    await this.#exit;
  }
}
