import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Board } from "./board.ts";
import { machineTime } from "./clock.ts";
import { checkServer, killConnections } from "./connections.ts";
import { type Display, latency } from "./display.ts";
import type { ControllerFigures, ControllerReport, Setup, WriterFigures, WriterReport } from "./messages.ts";
import type { DemoOptions } from "./options.ts";
import { type ControllerMember, Member, type Role, type WriterMember } from "./processes.ts";
import { clientName } from "./scene.ts";
import { type Outcome, outcome } from "./summary.ts";

/** ms between two kills with --forever. */
const KILL_INTERVAL = 15_000;
/** ms without an event or a sync after which nothing more is expected. */
const QUIET = 1000;
/** ms between two looks at the figures, which come every 250 ms. */
const LOOK_INTERVAL = 300;

/** What events go through, in words. */
const SERVICE = { service: "publisher service", broker: "Redis broker" } as const;

export interface DemoSetup {
  readonly options: DemoOptions;
  readonly folder: string;
  readonly port: number;
  readonly display: Display;
  /** The run ends as it would by time. */
  readonly stop: AbortSignal;
  /** All ends at once. */
  readonly abort: AbortSignal;
}

/** One run of the demo: all its processes, from the first to the last. */
export class Demo {
  readonly #setup: DemoSetup;
  /** The reason is what `run` rejects with: a process failed, or all was aborted. */
  readonly #failure = new AbortController();
  /** No pause any more: stopped, or failed. */
  readonly #over = new AbortController();
  readonly #members: Member[] = [];
  readonly #writers: WriterMember[] = [];
  readonly #controllers: ControllerMember[] = [];
  #store!: Member;
  /** What all events go through; null: a server that is not the demo's. */
  #service: Member | null = null;
  #board!: Board;
  #kills = 0;

  constructor(setup: DemoSetup) {
    this.#setup = setup;
    const { stop, abort } = setup;
    stop.addEventListener("abort", () => this.#over.abort());
    abort.addEventListener("abort", () => this.#failure.abort(abort.reason));
    this.#signal.addEventListener("abort", () => this.#over.abort());
    // Each of many processes may be waited for at the same time.
    setMaxListeners(Number.POSITIVE_INFINITY, this.#signal);
  }

  /** Resolves when all processes have ended. Rejects, and they are gone as well, when one of them fails or on `abort`. */
  async run(): Promise<Outcome> {
    const { display } = this.#setup;
    try {
      await this.#start();
      const showing = setInterval(() => this.#show(), display.interval);
      try {
        await this.#act();
      } finally {
        clearInterval(showing);
        display.end();
      }
      const result = await this.#settle();
      await this.#end();
      return result;
    } finally {
      // The store last: the others would only complain of its absence.
      await Promise.all([...this.#members].reverse().map((member) => member.kill()));
    }
  }

  get #signal(): AbortSignal {
    return this.#failure.signal;
  }

  async #start(): Promise<void> {
    const { options, display } = this.#setup;
    if (options.redis !== null) await checkServer(options.redis);
    this.#store = await this.#member("store");
    if (options.redis === null) this.#service = await this.#member(this.#role);
    const controllers = Array.from({ length: options.controllers }, (_, index) =>
      this.#member<ControllerFigures>("controller", index),
    );
    this.#controllers.push(...(await Promise.all(controllers)));
    const writers = Array.from({ length: options.writers }, (_, index) =>
      this.#member<WriterFigures>("writer", index),
    );
    this.#writers.push(...(await Promise.all(writers)));
    const pids = (members: readonly { pid: number | undefined }[]): string =>
      members.map(({ pid }) => pid).join(" ");
    const service = this.#service === null ? "" : `${SERVICE[this.#role]} ${this.#service.pid}, `;
    display.note(
      `store ${this.#store.pid}, ${service}writers ${pids(this.#writers)}, ` +
        `controllers ${pids(this.#controllers)} (process ids)`,
    );
    this.#board = new Board(machineTime());
    for (const controller of this.#controllers) {
      controller.onFigures = ({ latencies }) => this.#board.addLatencies(latencies);
    }
  }

  get #role(): "service" | "broker" {
    return this.#setup.options.driver === "redis" ? "broker" : "service";
  }

  /** What is killed. */
  get #victim(): string {
    return this.#setup.options.redis === null ? SERVICE[this.#role] : "connections to Redis";
  }

  /** The writers write, and what their events go through is killed. */
  async #act(): Promise<void> {
    const { seconds, dropOne } = this.#setup.options;
    await Promise.all(this.#writers.map((writer) => writer.ask("start", this.#signal)));
    if (seconds === null) {
      while (await this.#pause(KILL_INTERVAL)) await this.#strike();
    } else {
      const running = (await this.#pause(seconds * 500)) && (await this.#strike());
      if (running) await this.#pause(seconds * 500);
    }
    if (dropOne) await this.#dropOne();
    await Promise.all(this.#writers.map((writer) => writer.ask("stop", this.#signal)));
  }

  /** False: the run was stopped meanwhile. */
  async #pause(milliseconds: number): Promise<boolean> {
    await sleep(milliseconds, undefined, { signal: this.#over.signal }).catch(() => {});
    this.#signal.throwIfAborted();
    return !this.#setup.stop.aborted;
  }

  async #strike(): Promise<true> {
    this.#kills += 1;
    if (this.#service === null) await this.#killConnections();
    else await this.#restart(this.#service);
    return true;
  }

  async #restart(service: Member): Promise<void> {
    const { display } = this.#setup;
    const killedAt = machineTime();
    await service.kill();
    this.#members.splice(this.#members.indexOf(service), 1);
    display.note(`${SERVICE[this.#role]} ${service.pid} killed (SIGKILL)`);
    this.#service = await this.#member(this.#role);
    const took = Math.round(machineTime() - killedAt);
    display.note(`${SERVICE[this.#role]} ${this.#service.pid} started, ${took} ms after the kill`);
  }

  async #killConnections(): Promise<void> {
    const { display, options, port } = this.#setup;
    const killed = await killConnections(options.redis!, clientName(port));
    display.note(`${killed} connections to Redis killed`);
  }

  /** Late enough that no sync covers it any more. */
  async #dropOne(): Promise<void> {
    await this.#allSettled();
    await this.#quiet((): number => this.#syncs());
    const [controller] = this.#controllers;
    await controller!.ask("drop", this.#signal);
    this.#setup.display.note("controller 1 ignores one event");
    await this.#pause(LOOK_INTERVAL);
  }

  async #settle(): Promise<Outcome> {
    this.#setup.display.note("writers stopped; waiting for a quiet second");
    await this.#allSettled();
    await this.#quiet(() => this.#syncs() + this.#received());
    const { latencies } = this.#board;
    this.#setup.display.note(
      `from sendEvent to the callback, over the whole run: p50 ${latency(latencies.quantile(0.5))}, ` +
        `p99 ${latency(latencies.quantile(0.99))}`,
    );
    const writers = await Promise.all(this.#writers.map((writer) => writer.ask("report", this.#signal)));
    const controllers = await Promise.all(this.#controllers.map((one) => one.ask("report", this.#signal)));
    const kills = { victim: this.#victim, count: this.#kills };
    return outcome(writers as WriterReport[], controllers as ControllerReport[], kills);
  }

  async #allSettled(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.ask("settle", this.#signal)));
  }

  /** Resolves when the number has not changed for a second. */
  async #quiet(number: () => number): Promise<void> {
    let last = number();
    let since = machineTime();
    while (machineTime() - since < QUIET + LOOK_INTERVAL) {
      await sleep(LOOK_INTERVAL, undefined, { signal: this.#signal });
      if (number() === last) continue;
      last = number();
      since = machineTime();
    }
  }

  async #end(): Promise<void> {
    const members = [...this.#writers, this.#service, ...this.#controllers, this.#store];
    for (const member of members) await member?.end(this.#signal);
  }

  #syncs(): number {
    return this.#controllers.reduce((all, { figures }) => all + (figures?.syncs ?? 0), 0);
  }

  #received(): number {
    return this.#controllers.reduce((all, { figures }) => all + (figures?.received ?? 0), 0);
  }

  #show(): void {
    const sum = (name: keyof WriterFigures): number =>
      this.#writers.reduce((all, { figures }) => all + (figures?.[name] ?? 0), 0);
    const controllers = this.#controllers.map(
      ({ figures }) => figures ?? { topics: [], received: 0, syncs: 0 },
    );
    const totals = { sent: sum("sent"), refused: sum("refused"), kills: this.#kills, controllers };
    this.#setup.display.figures(this.#board.figures(machineTime(), totals));
  }

  async #member<Figures>(role: Role, index = 0): Promise<Member<Figures>> {
    const { folder, port, options } = this.#setup;
    const setup: Setup = { folder, port, options, index };
    const name = role === "writer" || role === "controller" ? `${role} ${index + 1}` : role;
    const member = new Member<Figures>(role, setup, name, (error) => this.#failure.abort(error));
    this.#members.push(member as Member);
    await member.ready(this.#signal);
    return member;
  }
}
