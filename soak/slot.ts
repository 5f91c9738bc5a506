import type { Children } from "../test/support/children.ts";
import type { FaultProxy } from "../test/support/proxy.ts";
import { sleep, until } from "../test/support/wait.ts";
import { Life } from "./life.ts";
import type { SocketPlan } from "./member.ts";

export const FAULTS = ["kill", "stop", "reset", "close"] as const;
export type Fault = (typeof FAULTS)[number];

/** A place that one life after the other has. */
export class Slot {
  readonly name: string;
  readonly lives: Life[] = [];
  readonly counts: Record<Fault, number> = { kill: 0, stop: 0, reset: 0, close: 0 };
  readonly #children: Children;
  readonly #plan: Omit<SocketPlan, "sender">;
  readonly #proxy: FaultProxy | null;
  #busy: Promise<void> | null = null;

  constructor(
    children: Children,
    name: string,
    plan: Omit<SocketPlan, "sender">,
    proxy: FaultProxy | null = null,
  ) {
    this.name = name;
    this.#children = children;
    this.#plan = plan;
    this.#proxy = proxy;
  }

  get current(): Life {
    return this.lives.at(-1)!;
  }

  async start(): Promise<void> {
    const name = `${this.name}#${this.lives.length + 1}`;
    const life = new Life(this.#children, name, [{ ...this.#plan, sender: name }]);
    this.lives.push(life);
    await until(
      `${name} runs`,
      () => {
        if (life.child.exit) throw new Error(`${name} ended: ${life.child.stderr}`);
        return life.report !== null;
      },
      30_000,
    );
  }

  /** Does that to its life, unless the last thing done is not over yet. */
  suffer(fault: Fault, milliseconds: number, onError: (error: unknown) => void): void {
    if (this.#busy !== null || (fault === "reset" && this.#proxy === null)) return;
    this.counts[fault] += 1;
    this.#busy = this.#do(fault, milliseconds)
      .catch(onError)
      .finally(() => {
        this.#busy = null;
      });
  }

  /** Resolves when nothing is being done to it. */
  async rest(): Promise<void> {
    await this.#busy;
  }

  async #do(fault: Fault, milliseconds: number): Promise<void> {
    const life = this.current;
    if (fault === "reset") {
      life.resets += 1;
      this.#proxy!.reset();
    } else if (fault === "stop") {
      life.child.signal("SIGSTOP");
      await sleep(milliseconds);
      life.child.signal("SIGCONT");
    } else {
      await life[fault]();
      await this.start();
    }
  }
}
