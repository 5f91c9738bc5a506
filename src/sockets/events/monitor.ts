import type { Environment } from "../../runtime/environment.ts";
import type { SocketEvent } from "./events.ts";

type Hear = (event: SocketEvent) => void;

/** Where the parts of a socket tell what happens to it. Who listens, if anybody, makes no difference to them. */
export class Monitor {
  readonly environment: Environment;
  readonly #observers = new Set<Hear>();
  #isOver = false;

  constructor(environment: Environment) {
    this.environment = environment;
  }

  /** The last event has been told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  emit(event: SocketEvent): void {
    if (event.type === "end") this.#isOver = true;
    for (const hear of [...this.#observers]) hear(event);
  }

  add(hear: Hear): void {
    this.#observers.add(hear);
  }

  remove(hear: Hear): void {
    this.#observers.delete(hear);
  }
}
