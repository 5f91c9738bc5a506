import type { Environment } from "./environment.ts";
import { throwUncaught } from "./uncaught.ts";

interface Listener {
  readonly call: (event: never) => void;
  readonly once: boolean;
}

/** A small typed emitter. Nobody has to listen; a listener that throws does so on its own, as an uncaught exception. */
export class Emitter<Events extends { [Type in keyof Events]: { type: Type } }> {
  readonly #environment: Environment;
  readonly #listeners = new Map<keyof Events, Listener[]>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** A listener that is there already is not added again. */
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): this {
    return this.#add(type, { call: listener, once: false });
  }

  /** As `on`, for the next event of this type only. */
  once<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): this {
    return this.#add(type, { call: listener, once: true });
  }

  off<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): this {
    const listeners = this.#listeners.get(type);
    if (listeners !== undefined) {
      this.#listeners.set(
        type,
        listeners.filter((one) => one.call !== listener),
      );
    }
    return this;
  }

  /** @returns whether anyone listens. */
  emit<Type extends keyof Events>(event: Events[Type] & { type: Type }): boolean {
    const listeners = this.#listeners.get(event.type);
    if (listeners === undefined || listeners.length === 0) return false;
    for (const { call, once } of [...listeners]) {
      if (once) this.off(event.type, call as (event: Events[Type]) => void);
      try {
        (call as (event: Events[Type]) => void)(event);
      } catch (error) {
        throwUncaught(this.#environment, error);
      }
    }
    return true;
  }

  #add(type: keyof Events, listener: Listener): this {
    if (typeof listener.call !== "function") throw new TypeError("Listener must be a function");
    const listeners = this.#listeners.get(type) ?? [];
    if (!listeners.some((one) => one.call === listener.call))
      this.#listeners.set(type, [...listeners, listener]);
    return this;
  }
}
