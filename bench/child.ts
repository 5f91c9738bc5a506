import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const running = new Set<Child>();
// However the runner ends, nothing that it started outlives it.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A measured process and the lines that it speaks (listed in programs/control.mjs). */
export class Child {
  readonly #process: ChildProcess;
  readonly #input: Writable;
  readonly #name: string;
  readonly #exited: Promise<void>;
  #lines: string[][] = [];
  #failure: Error | null = null;
  #wake: (() => void) | null = null;

  /** @param peer the process at the other end of descriptor 3, if it runs already */
  constructor(name: string, command: readonly string[], peer?: Child) {
    this.#name = name;
    const side = peer === undefined ? "pipe" : peer.#side();
    this.#process = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "inherit", side] });
    if (peer !== undefined) peer.#side().destroy();
    running.add(this);
    this.#input = this.#process.stdin!;
    createInterface({ input: this.#process.stdout as Readable }).on("line", (line) =>
      this.#onLine(line.split(" ")),
    );
    this.#input.on("error", () => {}); // The exit tells more.
    this.#process.on("error", (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#process.on("close", (code, signal) => {
        running.delete(this);
        this.#fail(new Error(`${this.#name} ended with ${signal ?? code}`));
        resolve();
      });
    });
  }

  #side(): Socket {
    return this.#process.stdio[3] as Socket;
  }

  #onLine(words: string[]): void {
    this.#lines.push(words);
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  tell(line: string): void {
    this.#input.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The words that follow `word` on the next line, which must begin with it. Rejects after `patience` ms. */
  async expect(word: string, patience: number): Promise<string[]> {
    const line = await this.#next(word, patience);
    if (line[0] !== word) throw new Error(`${this.#name} said "${line.join(" ")}" for "${word}"`);
    return line.slice(1);
  }

  async #next(word: string, patience: number): Promise<string[]> {
    const deadline = performance.now() + patience;
    while (this.#lines.length === 0) {
      if (this.#failure !== null) throw this.#failure;
      const left = deadline - performance.now();
      if (left <= 0) throw new Silence(`${this.#name}: no "${word}" within ${patience} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#lines.shift()!;
  }

  /** Ends it by the end of its input, else by force. */
  async close(): Promise<void> {
    this.#input.end();
    const force = setTimeout(() => this.kill("SIGKILL"), 2000);
    await this.#exited;
    clearTimeout(force);
  }
}

/** A program that runs, but does not get on. */
export class Silence extends Error {}
