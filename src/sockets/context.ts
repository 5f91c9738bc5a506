import type { Environment } from "./environment.ts";
import { Flusher } from "./flusher.ts";
import { Scheduler } from "./scheduler.ts";

/** What the sockets of one process share: the runtime they run in, one timer, one flush a turn. */
export class Context {
  readonly environment: Environment;
  readonly scheduler: Scheduler;
  readonly flusher: Flusher;

  constructor(environment: Environment) {
    this.environment = environment;
    this.scheduler = new Scheduler(environment);
    this.flusher = new Flusher(environment);
  }
}
