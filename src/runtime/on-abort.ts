interface Waiting {
  readonly calls: Set<() => void>;
  readonly listener: () => void;
}

/** Those that wait, by signal. */
const WAITING = new WeakMap<AbortSignal, Waiting>();
const NOTHING = (): void => {};

/**
 * Calls back when the signal is aborted, which it must not be yet. All that wait for one signal share a listener: Node takes more
 * than ten at a signal for a leak, and one signal that ends everything is what many programs have.
 *
 * @returns takes the call back; to be called also when it was made. @throws {TypeError} for what is no signal.
 */
export function onAbort(signal: AbortSignal | null | undefined, call: () => void): () => void {
  if (signal === undefined || signal === null) return NOTHING;
  const waiting = WAITING.get(signal) ?? listen(signal);
  waiting.calls.add(call);
  return () => {
    if (!waiting.calls.delete(call) || waiting.calls.size > 0) return;
    signal.removeEventListener("abort", waiting.listener);
    WAITING.delete(signal);
  };
}

function listen(signal: AbortSignal): Waiting {
  const calls = new Set<() => void>();
  const listener = (): void => {
    for (const call of calls) call();
  };
  signal.addEventListener("abort", listener, { once: true });
  const waiting = { calls, listener };
  WAITING.set(signal, waiting);
  return waiting;
}
