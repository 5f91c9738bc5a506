import type { Environment, Timer } from "../../runtime/environment.ts";

/**
 * The result of the first attempt that succeeds. They begin one after the other: the next when one has failed, or when none has had a
 * result for `patience` ms, so that one that hangs holds up nobody for long.
 *
 * Rejects with the error of the last that failed, when all have. @param items at least one.
 */
export function firstSuccess<Item, Result>(
  items: readonly Item[],
  attempt: (item: Item) => Promise<Result>,
  patience: number,
  environment: Environment,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    let begun = 0;
    let failed = 0;
    let timer: Timer | null = null;
    const succeed = (result: Result): void => {
      begun = items.length;
      timer?.cancel();
      resolve(result);
    };
    const fail = (error: unknown): void => {
      failed += 1;
      if (begun < items.length) begin();
      else if (failed === items.length) reject(error);
    };
    const begin = (): void => {
      timer?.cancel();
      attempt(items[begun++] as Item).then(succeed, fail);
      if (begun < items.length) timer = environment.setTimer(patience, begin);
    };
    begin();
  });
}
