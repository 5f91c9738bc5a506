import { createInterface } from "node:readline";
import type { Command, Station, StationEvent } from "./station.ts";

/**
 * Puts a station behind lines of JSON: `{ id, do, ... }` on standard input, `{ id, result }` or `{ id, error }` and
 * events on standard output. Commands run side by side; the process ends with its standard input.
 */
export function serve(createStation: (onEvent: (event: StationEvent) => void) => Station): void {
  const say = (line: unknown): void => {
    process.stdout.write(`${JSON.stringify(line)}\n`);
  };
  const station = createStation(say);
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    const { id, ...command } = JSON.parse(line) as { id: number } & Command;
    station.run(command as Command).then(
      (result) => say({ id, result: result ?? null }),
      (error: unknown) => say({ id, error: String(error) }),
    );
  });
  input.on("close", () => process.exit(0));
  say({ ready: true });
}
