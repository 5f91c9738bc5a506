import { Context } from "../../src/sockets/index.ts";
import type { Stream } from "../../src/transports/transport.ts";
import { type SimulatedStream, Simulation } from "../support/simulation.ts";
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
  left(): Promise<string | null>;
}

/** The simulated network and clock: the same steps are the same run. */
export class SimulatedSite implements Site {
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
    for (let step = 25; missing() !== null && this.sim.time < end; step *= 2) {
      await this.sim.advance(step);
      await meanwhile();
    }
  }

  async left(): Promise<string | null> {
    const { left } = this.sim;
    return Object.values(left).every((count) => count === 0) ? null : JSON.stringify(left);
  }
}
