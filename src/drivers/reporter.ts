import type { Environment } from "../sockets/index.ts";

/** Hears of what went wrong and was coped with. */
export type OnError = (error: unknown) => void;

/** ms in which at most one warning is given. */
const WARNING_INTERVAL = 10_000;

/** The default for `onError`: a process warning, at most one in ten seconds, with the number of those left out. */
export function warningReporter(environment: Environment, who: string): OnError {
  let quietUntil = Number.NEGATIVE_INFINITY;
  let omitted = 0;
  return (error) => {
    const now = environment.now();
    if (now < quietUntil) {
      omitted += 1;
      return;
    }
    const more = omitted === 0 ? "" : ` (and ${omitted} more before)`;
    quietUntil = now + WARNING_INTERVAL;
    omitted = 0;
    environment.warn(`${who}: ${error instanceof Error ? error.message : String(error)}${more}`);
  };
}
