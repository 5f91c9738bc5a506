import type { Environment } from "./environment.ts";

/** Throws where nothing is under way that it could end: what comes of it is the process's affair (`uncaughtException`). */
export function throwUncaught(environment: Environment, error: unknown): void {
  environment.nextTurn(() => {
    throw error;
  });
}
