import { nodeEnvironment } from "../../src/runtime/node.ts";
import { Context } from "../../src/sockets/index.ts";
import { tcp } from "../../src/transports/index.ts";
import type { Stream } from "../../src/transports/transport.ts";
import { type SimulatedStream, Simulation } from "../support/simulation.ts";
import { sleep } from "../support/wait.ts";
import { type LinkOwner, linking } from "./link.ts";

/** Where a model runs: a network with its time. */
export interface Site {
  /** The number of addresses of one side is small, so that endpoints meet. */
  address(side: "in" | "out", n: number): string;
  /** A process of its own for one socket. */
  context(owner: LinkOwner): Context;
  now(): number;
  /** Some turns of the event loop. */
  turns(count: number): Promise<void>;
  /** Everything happens that needs no time. */
  settle(): Promise<void>;
  pass(milliseconds: number): Promise<void>;
  /** From now on dials to this address are not answered, or are again. */
  blackHole(address: string, on: boolean): void;
  /** What is wrong when all sockets are idle or closed; null: nothing. */
  atRest(): string | null;
  /** Whether these are the two ends of one connection. */
  arePeers(a: Stream, b: Stream): boolean;
  /** Lets time pass until nothing is missing, `milliseconds` at most; `meanwhile` now and then. */
  recover(missing: () => string | null, milliseconds: number, meanwhile: () => Promise<void>): Promise<void>;
  /** What is still open or waits after everything was closed; null: nothing. */
  left(): string | null;
  /** ms that a timer may be late, or early. */
  readonly lateness: number;
}

/** The simulated network and clock: the same steps are the same run. */
export class SimulatedSite implements Site {
  readonly lateness: number = 0;
  readonly sim: Simulation;

  constructor(seed: number, capacity: number, maxChunk: number) {
    this.sim = new Simulation(seed);
    this.sim.network.capacity = capacity;
    this.sim.network.maxChunk = maxChunk;
  }

  address(side: "in" | "out", n: number): string {
    return `sim://${side}${n}`;
  }

  context(owner: LinkOwner): Context {
    const reset = (stream: Stream): void => (stream as SimulatedStream).reset();
    const sim = linking(this.sim.network, owner, reset);
    return new Context({ ...this.sim.environment, transports: { sim } });
  }

  now(): number {
    return this.sim.time;
  }

  turns(count: number): Promise<void> {
    return this.sim.turns(count);
  }

  settle(): Promise<void> {
    return this.sim.settle();
  }

  pass(milliseconds: number): Promise<void> {
    return this.sim.advance(milliseconds);
  }

  blackHole(address: string, on: boolean): void {
    if (on) this.sim.network.blackHoles.add(address);
    else this.sim.network.endBlackHole(address);
  }

  atRest(): string | null {
    const stuck = this.sim.network.streams.find((stream) => !stream.isOver && stream.inFlight > 0);
    return stuck === undefined ? null : `${stuck.inFlight} bytes that nobody reads`;
  }

  arePeers(a: Stream, b: Stream): boolean {
    return (a as SimulatedStream).other === b;
  }

  async recover(
    missing: () => string | null,
    milliseconds: number,
    meanwhile: () => Promise<void>,
  ): Promise<void> {
    const end = this.sim.time + milliseconds;
    for (let step = 1; missing() !== null && this.sim.time < end; step *= 2) {
      await this.sim.advance(step);
      await meanwhile();
    }
  }

  left(): string | null {
    const { left } = this.sim;
    return Object.values(left).every((count) => count === 0) ? null : JSON.stringify(left);
  }
}

/** TCP on the loopback interface, in real time. There are no black holes, and which ends belong together is not known. */
export class TcpSite implements Site {
  readonly lateness: number = 2000;
  readonly #ports: readonly number[];
  #holds = 0;
  #timers = 0;
  readonly #streams = new Set<Stream>();

  /** @param ports six that are free. */
  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  address(side: "in" | "out", n: number): string {
    return `tcp://127.0.0.1:${this.#ports[n + (side === "in" ? 0 : 3)]}`;
  }

  context(owner: LinkOwner): Context {
    const environment = nodeEnvironment();
    const opened: LinkOwner["opened"] = (link) => {
      this.#streams.add(link.inner);
      owner.opened(link);
    };
    const ended: LinkOwner["ended"] = (link) => {
      this.#streams.delete(link.inner);
      owner.ended(link);
    };
    const counting: LinkOwner = {
      side: owner.side,
      opened,
      ended,
      wrote: (link, parts) => owner.wrote(link, parts),
      heard: (link, parts) => owner.heard(link, parts),
      saidSubscription: (link, subscribe, topic) => owner.saidSubscription(link, subscribe, topic),
      heardSubscription: (link, subscribe, topic) => owner.heardSubscription(link, subscribe, topic),
      readied: (link) => owner.readied(link),
    };
    return new Context({
      ...environment,
      transports: { tcp: linking(tcp, counting, (stream) => stream.destroy()) },
      hold: () => this.#hold(environment.hold()),
      setTimer: (milliseconds, callback) => {
        const done = this.#timer();
        const timer = environment.setTimer(milliseconds, () => {
          done();
          callback();
        });
        return {
          cancel: () => {
            done();
            timer.cancel();
          },
        };
      },
    });
  }

  now(): number {
    return performance.now();
  }

  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Bytes may still be under way; but what has come has been dealt with. */
  async settle(): Promise<void> {
    await this.turns(6);
  }

  async pass(milliseconds: number): Promise<void> {
    await sleep(Math.min(milliseconds, 60));
    await this.turns(1);
  }

  blackHole(): void {}

  atRest(): string | null {
    return null;
  }

  arePeers(): boolean {
    return false;
  }

  async recover(
    missing: () => string | null,
    milliseconds: number,
    meanwhile: () => Promise<void>,
  ): Promise<void> {
    const end = performance.now() + Math.max(10_000, milliseconds);
    while (missing() !== null && performance.now() < end) {
      await sleep(5);
      await meanwhile();
    }
  }

  left(): string | null {
    const left = { holds: this.#holds, timers: this.#timers, streams: this.#streams.size };
    return Object.values(left).every((count) => count === 0) ? null : JSON.stringify(left);
  }

  #hold(release: () => void): () => void {
    this.#holds += 1;
    let isHeld = true;
    return () => {
      if (isHeld) this.#holds -= 1;
      isHeld = false;
      release();
    };
  }

  #timer(): () => void {
    this.#timers += 1;
    let isSet = true;
    return () => {
      if (isSet) this.#timers -= 1;
      isSet = false;
    };
  }
}
