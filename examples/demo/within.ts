/**
 * What the promise gives; rejects when that takes longer than `milliseconds`, or with the signal's reason.
 *
 * @param what is waited for: "... to happen".
 */
export function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  signal: AbortSignal,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => settle(reject, new Error(`Waited ${milliseconds} ms in vain for ${what}`)),
      milliseconds,
    );
    const aborted = (): void => settle(reject, signal.reason as Error);
    const settle = <V>(how: (value: V) => void, value: V): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      how(value);
    };
    if (signal.aborted) aborted();
    else signal.addEventListener("abort", aborted);
    promise.then(
      (value) => settle(resolve, value),
      (error: Error) => settle(reject, error),
    );
  });
}
