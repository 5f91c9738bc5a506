import { Courier } from "./courier.ts";
import { Diagnostics } from "./diagnostics.ts";
import type { Environment } from "./environment.ts";
import { Flusher } from "./flusher.ts";
import { InprocNames } from "./inproc-names.ts";
import { Scheduler } from "./scheduler.ts";

/** What the sockets of one process share: the runtime they run in, one timer, one flush a turn, names of inproc. */
export class Context {
  readonly environment: Environment;
  readonly scheduler: Scheduler;
  readonly flusher: Flusher;
  readonly courier: Courier;
  readonly inproc: InprocNames = new InprocNames();
  readonly diagnostics: Diagnostics;

  constructor(environment: Environment) {
    this.environment = environment;
    this.scheduler = new Scheduler(environment);
    this.flusher = new Flusher(environment);
    this.courier = new Courier(environment);
    this.diagnostics = new Diagnostics(environment);
  }
}
