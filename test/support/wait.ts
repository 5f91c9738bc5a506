/** Bounded waits. A test that hangs says what it was waiting for. */

export const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The promise's result, or an error that names `what` after `milliseconds`. The loser of the race stays handled, so a
 * late rejection is nobody's surprise.
 */
export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`after ${milliseconds} ms still waiting for ${what}`)),
      milliseconds,
    );
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks until the condition holds, with a pause of `interval` milliseconds between. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = 10_000,
  interval = 5,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${milliseconds} ms still waiting until ${what}`);
    await sleep(interval);
  }
}
