// biome-ignore-all lint/complexity/noThisInStatic: bundlers rename a class that names itself, and users see its name in errors.

import type { Environment } from "../../runtime/environment.ts";
import { Diagnostics } from "../events/diagnostics.ts";
import {
  CONTEXT_OPTIONS,
  type ContextOptions,
  THREAD_OPTIONS,
  type ThreadOptions,
} from "../options/context-options.ts";
import type { OptionRule } from "../options/option-rules.ts";
import { Courier } from "./courier.ts";
import { Flusher } from "./flusher.ts";
import { InprocNames } from "./inproc-names.ts";
import { OpenSockets } from "./open-sockets.ts";
import { Scheduler } from "./scheduler.ts";

/** Shared by the ESM and the CommonJS build: each knows the other's contexts. */
const IS_CONTEXT = Symbol.for("zmtp.isContext");

/** For the constructors of sockets. */
export interface InContext {
  /** What the socket belongs to. Default: the process's `context`. */
  context?: Context;
}

export interface Context extends ContextOptions {
  set threadPriority(value: number);
  set threadSchedulingPolicy(value: number);
}

/**
 * What sockets share: the runtime they run in, one timer, one flush a turn, the names of inproc, and the options below. There is
 * one for the process (`context`), which is enough but for tests.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the options are accessors, defined from their tables below.
export class Context {
  readonly environment: Environment;
  readonly scheduler: Scheduler;
  readonly flusher: Flusher;
  readonly courier: Courier;
  readonly inproc: InprocNames = new InprocNames();
  readonly diagnostics: Diagnostics;
  readonly sockets: OpenSockets;
  readonly #values = new Map<string, unknown>();

  static {
    for (const [name, rule] of Object.entries(CONTEXT_OPTIONS)) this.#defineOption(name, rule, true);
    for (const [name, rule] of Object.entries(THREAD_OPTIONS)) this.#defineOption(name, rule, false);
    Object.defineProperty(this.prototype, IS_CONTEXT, { value: true });
  }

  /** Those of the other build too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && IS_CONTEXT in value;
  }

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(environment: Environment, options: Partial<ContextOptions & ThreadOptions> = {}) {
    if (typeof options !== "object" || options === null) throw new TypeError("Options must be an object");
    this.environment = environment;
    this.scheduler = new Scheduler(environment);
    this.flusher = new Flusher(environment);
    this.courier = new Courier(environment);
    this.diagnostics = new Diagnostics(environment);
    this.sockets = new OpenSockets(environment, () => this.blocky);
    // Whoever prints a context, or a socket's, does not want to see what it is made of.
    for (const name of Object.keys(this)) Object.defineProperty(this, name, { enumerable: false });
    Object.seal(this);
    Object.assign(this, options);
  }

  /** The largest `maxSockets` that is of use. ZMQ_SOCKET_LIMIT. */
  get maxSocketsLimit(): number {
    return 65_535;
  }

  static #defineOption(name: string, rule: OptionRule, readable: boolean): void {
    Object.defineProperty(this.prototype, name, {
      ...(readable && {
        get(this: Context) {
          return this.#values.has(name) ? this.#values.get(name) : rule.initial;
        },
      }),
      set(this: Context, value: unknown) {
        this.#values.set(
          name,
          rule.check(name, value, (message) => this.environment.warn(message)),
        );
      },
      configurable: true,
    });
  }
}

/** @throws {TypeError} when there is a `context` in the options that is none: zeromq.js's text. */
export function contextOf(options: object, otherwise: Context): Context {
  if (!("context" in options)) return otherwise;
  if (options.context instanceof Context) return options.context;
  throw new TypeError("Invalid argument");
}
