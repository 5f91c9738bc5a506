import { ZmqError } from "../errors.ts";
import type { Environment } from "../runtime/environment.ts";
import type { SocketType } from "../zmtp/index.ts";
import type { Context } from "./context/context.ts";
import { Endpoints } from "./endpoints/endpoints.ts";
import { Monitor } from "./events/monitor.ts";
import type { OptionRule } from "./options/option-rules.ts";
import { type AllOptions, defaultOptions } from "./options/options.ts";
import { Leftovers } from "./pipes/leftovers.ts";
import type { Pattern } from "./pipes/pipe.ts";
import type { Counts } from "./stats.ts";

/** How a type makes its pattern. */
export type PatternClass<P extends Pattern> = new (environment: Environment, options: AllOptions) => P;

/** As zeromq.js has it. */
const TOO_LATE = "Socket option will not take effect until next connect/bind.";

/** What a socket is made of. Its class shows users what is for them; endpoints, pipes and observers see this. */
export class Core<P extends Pattern = Pattern> {
  readonly type: SocketType;
  readonly context: Context;
  /** As they are now. */
  readonly options: AllOptions;
  readonly events: Monitor;
  readonly pattern: P;
  readonly endpoints: Endpoints;
  readonly leftovers: Leftovers;
  /** What the pipes have counted that are gone. */
  readonly retired: Counts = { sent: 0, received: 0, dropped: 0 };
  isClosed = false;
  #snapshot: AllOptions | null = null;

  /** @param defaults those that differ from other types'. */
  constructor(
    socket: object,
    type: SocketType,
    Pattern: PatternClass<P>,
    context: Context,
    defaults: Partial<AllOptions>,
  ) {
    this.type = type;
    this.context = context;
    this.options = { ...defaultOptions(), ...defaults, ipv6: context.ipv6 };
    if (!context.blocky) this.options.linger = 0;
    this.events = new Monitor(context.environment);
    this.pattern = new Pattern(context.environment, this.options);
    this.endpoints = new Endpoints(this);
    this.leftovers = new Leftovers(context.environment, this.options);
    CORES.set(socket, this);
  }

  /** The options as they are now, for what keeps them so: one copy for all endpoints made until one is set. */
  snapshot(): AllOptions {
    this.#snapshot ??= { ...this.options };
    return this.#snapshot;
  }

  /** @throws {TypeError} for the wrong kind. @throws {ZmqError} EINVAL for a value out of range, ENOTSOCK when closed. */
  setOption(name: string, rule: OptionRule, value: unknown): void {
    if (this.isClosed) throw new ZmqError("ENOTSOCK");
    const warn = (message: string): void => this.context.environment.warn(message);
    this.#snapshot = null;
    (this.options as unknown as Record<string, unknown>)[name] = rule.check(name, value, warn);
    if (rule.effect === "now") {
      this.pattern.optionsChanged();
      this.endpoints.optionsChanged();
    } else if (!this.endpoints.isEmpty) warn(TOO_LATE);
  }
}

const CORES = new WeakMap<object, Core>();

/** @throws {TypeError} for what is no socket. */
export function coreOf(socket: object): Core {
  const core = CORES.get(socket);
  if (core === undefined) throw new TypeError("Socket must be a socket object");
  return core;
}
