// How late the event loop is, and whether others get their turn, while something in the same process never stops.
import { Pull, Push } from "../../dist/index.js";

/** ms between two beats of the timer. */
const BEAT = 10;

/** Nearest rank, of sorted times. */
function percentile(times, p) {
  return times[Math.ceil((p / 100) * times.length) - 1];
}

/** A pair of sockets of its own over tcp, which sends a message at each beat and waits for it. */
async function otherPair() {
  const pull = new Pull();
  await pull.bind("tcp://127.0.0.1:*");
  const push = new Push();
  push.connect(pull.lastEndpoint);
  return { push, pull };
}

/**
 * Watches for so many ms.
 * @returns ms that it took, ms of lateness of a timer (p50, p99), ms for a message of another pair of sockets (p99), bytes that resident
 *   memory has grown by
 */
export async function watchLoop(milliseconds) {
  const { push, pull } = await otherPair();
  const lateness = [];
  const trips = [];
  const memory = process.memoryUsage.rss();
  const began = performance.now();
  for (let due = began + BEAT; due < began + milliseconds; ) {
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
    const now = performance.now();
    lateness.push(now - due);
    await push.send("beat");
    await pull.receive();
    trips.push(performance.now() - now);
    due = Math.max(due + BEAT, performance.now());
  }
  const elapsed = performance.now() - began;
  await Promise.all([push.close(), pull.close()]);
  lateness.sort((a, b) => a - b);
  trips.sort((a, b) => a - b);
  return [
    elapsed,
    percentile(lateness, 50),
    percentile(lateness, 99),
    percentile(trips, 99),
    process.memoryUsage.rss() - memory,
  ];
}
