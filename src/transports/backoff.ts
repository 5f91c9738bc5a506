/** Failed handshakes back off up to here, in ms, whatever the options say. */
const HANDSHAKE_CEILING = 30_000;

/** The longest delay that setTimeout takes; beyond, it would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

export interface BackoffOptions {
  /** ms, above 0. */
  readonly interval: number;
  /** ms; 0: the delay does not grow. Below `interval` it is used in its place (RC-2). */
  readonly maxInterval: number;
}

/**
 * ms until the next attempt after one that found nobody, or after a connection that was lost.
 *
 * Without a maximum as libzmq: the interval and up to as much again. With one: exponential with full jitter, so that
 * the clients of a publisher that comes back do not all come at once.
 * @param retries attempts already made since the delay was last reset.
 * @param random in [0, 1).
 */
export function delay(options: BackoffOptions, retries: number, random: number): number {
  const { interval, maxInterval } = options;
  if (maxInterval <= 0) return clamp(interval + Math.floor(random * interval));
  return clamp(Math.floor(random * Math.min(maxInterval, doubled(interval, retries))));
}

/**
 * ms until the next attempt after a connection whose handshake failed. Such a peer is there but wants something else,
 * so this always grows: from the interval to twice it, then doubling up to 30 s, of which half is jitter.
 * @param failures failed handshakes in a row before this one.
 */
export function handshakeDelay(interval: number, failures: number, random: number): number {
  const most = Math.min(Math.max(HANDSHAKE_CEILING, 2 * interval), doubled(2 * interval, failures));
  return clamp(Math.floor(most / 2) + Math.floor((random * most) / 2));
}

function doubled(value: number, times: number): number {
  return value * 2 ** times;
}

function clamp(milliseconds: number): number {
  return Math.min(milliseconds, LONGEST_DELAY);
}
