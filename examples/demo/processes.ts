import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ControllerFigures, FromChild, Question, Setup, WriterFigures } from "./messages.ts";
import { within } from "./within.ts";

export type Role = "store" | "service" | "broker" | "writer" | "controller";

/** ms in which a process must be ready. A busy machine may take long. */
const READY_TIMEOUT = 30_000;
/** ms in which an answer must come. */
const ANSWER_TIMEOUT = 30_000;
/** ms that a process may take to end by itself after it has closed all it had open. */
const END_TIMEOUT = 5000;

/** One of the demo's processes, as its parent sees it. */
export class Member<Figures = unknown> {
  readonly name: string;
  /** The latest that it told. */
  figures: Figures | null = null;
  /** Hears of all that it tells. */
  onFigures: (figures: Figures) => void = () => {};
  readonly #process: ChildProcess;
  readonly #onFailure: (error: Error) => void;
  readonly #waiting = new Map<Question | "ready", (answer: unknown) => void>();
  readonly #exit: Promise<unknown>;
  /** Its end is no failure any more. */
  #mayEnd = false;

  constructor(role: Role, setup: Setup, name: string, onFailure: (error: Error) => void) {
    this.name = name;
    this.#onFailure = onFailure;
    this.#process = fork(new URL(`./${role}.js`, import.meta.url), [JSON.stringify(setup)], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // Ctrl-C reaches all of a terminal's processes; here it is the parent who ends the others.
      detached: true,
    });
    this.#process.on("message", (message) => this.#hear(message as FromChild));
    this.#process.on("error", (error) => this.#onFailure(error));
    this.#process.on("exit", (code, signal) => {
      if (!this.#mayEnd)
        this.#onFailure(new Error(`${name} ended by itself: ${signal ?? `exit code ${code}`}`));
    });
    this.#exit = once(this.#process, "exit");
    this.#exit.catch(() => {}); // an "error" is told above
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async ready(signal: AbortSignal): Promise<void> {
    await within(this.#answer("ready"), READY_TIMEOUT, signal, `${this.name} to be ready`);
  }

  async ask(question: Question, signal: AbortSignal): Promise<unknown> {
    const answer = this.#answer(question);
    this.#process.send(question);
    return within(answer, ANSWER_TIMEOUT, signal, `${this.name} to answer "${question}"`);
  }

  /** SIGKILL. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#mayEnd = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill("SIGKILL");
    await this.#exit.catch(() => {}); // there never was a process
  }

  /** Has it close all that is open, and sees that it then ends by itself. */
  async end(signal: AbortSignal): Promise<void> {
    this.#mayEnd = true;
    await this.ask("end", signal);
    await within(this.#exit, END_TIMEOUT, signal, `${this.name} to end`);
  }

  #answer(question: Question | "ready"): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.set(question, resolve);
    });
  }

  #hear(message: FromChild): void {
    if (message.type === "failed") this.#onFailure(new Error(`${this.name}: ${message.message}`));
    else if (message.type === "figures") {
      this.figures = message.figures as Figures;
      this.onFigures(this.figures);
    } else {
      const question = message.type === "ready" ? "ready" : message.question;
      this.#waiting.get(question)?.(message.type === "ready" ? undefined : message.answer);
      this.#waiting.delete(question);
    }
  }
}

export type WriterMember = Member<WriterFigures>;
export type ControllerMember = Member<ControllerFigures>;
