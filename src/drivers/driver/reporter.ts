import type { Environment } from "../../sockets/index.ts";

/** Hears of what went wrong and was coped with. */
export type OnError = (error: unknown) => void;

/** ms in which at most one warning is given. */
const WARNING_INTERVAL = 10_000;

/**
 * What a driver reports to: the user's handler, or a process warning. Never throws: reporting must not cost an event, so a
 * handler that fails costs a warning.
 */
export function reporter(environment: Environment, who: string, onError?: OnError): OnError {
  if (onError === undefined) return warningReporter(environment, who);
  const failed = warningReporter(environment, `${who}: onError failed`);
  return (error) => {
    try {
      onError(error);
    } catch (thrown) {
      failed(thrown);
    }
  };
}

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
