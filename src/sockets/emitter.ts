import type { Environment } from "./environment.ts";

/** A small typed emitter. Nobody has to listen; a listener that throws does so on its own, as an uncaught exception. */
export class Emitter<Events extends { [Type in keyof Events]: { type: Type } }> {
  readonly #environment: Environment;
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): this {
    if (typeof listener !== "function") throw new TypeError("Listener must be a function");
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return this;
  }

  off<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): this {
    this.#listeners.get(type)?.delete(listener);
    return this;
  }

  emit<Type extends keyof Events>(event: Events[Type] & { type: Type }): void {
    const listeners = this.#listeners.get(event.type);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        (listener as (event: Events[Type]) => void)(event);
      } catch (error) {
        this.#environment.nextTurn(() => {
          throw error;
        });
      }
    }
  }
}
