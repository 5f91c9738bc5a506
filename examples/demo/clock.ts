/**
 * ms on the machine's monotonic clock. `process.hrtime` reads CLOCK_MONOTONIC, which all processes of a machine share, so a
 * time taken by a writer can be subtracted from one taken by a controller.
 */
export function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
