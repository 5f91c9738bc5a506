import { parseArgs } from "node:util";

export interface DemoOptions {
  /** For how long the writers write; null: until Ctrl-C. */
  readonly seconds: number | null;
  readonly writers: number;
  readonly controllers: number;
  /** Events per second, of all writers together. */
  readonly rate: number;
  /** Bytes. */
  readonly valueSize: number;
  readonly wire: "map" | "json";
  readonly driver: "zmq" | "redis";
  /** A Redis server that is there already; null: a broker of the demo's own. */
  readonly redis: string | null;
  readonly dropOne: boolean;
}

/** A wrong command line. The message says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const HELP = `npm start -- [options]

Writer processes send database changes through a publisher service to controller processes. Half-way the service is killed
and started again. The summary says what became of every event: received, covered by a later sync, or lost.

  --seconds N       for how long the writers write (12: about 15 seconds in all)
  --forever         until Ctrl-C, which shows the summary; the service is killed every 15 seconds
  --writers N       writer processes (3)
  --controllers N   controller processes (4)
  --rate N          events per second, of all writers together (10000)
  --value-size N    bytes of each event's value, at least 64 (128)
  --wire map|json   how events are encoded (map); json carries values with action "log" only, so all events are logs
  --driver zmq|redis  what carries the events (zmq). With redis there is no service: writers and controllers are connected
                    to a Redis server, which is killed in its place; it is a small one of the demo's own
  --redis HOST:PORT with --driver redis: a server or cluster that is there already, and that nobody else uses. In place of
                    it, all connections of the demo to it are killed
  --drop-one        for the test of the demo itself: one controller ignores one event, and the demo must fail
  --help            this text

Exit code: 0 when no controller has missed an event without a sync, there was one sync per kill, and in the end every
controller's copy equals the store; 1 when not; 2 for wrong options; 130 after Ctrl-C.
`;

/** @returns "help" when that is what was asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): DemoOptions | "help" {
  const values = readArguments(args);
  if (values.help) return "help";
  if (values.forever && values.seconds !== undefined) {
    throw new UsageError("--forever and --seconds exclude each other");
  }
  const wire = values.wire ?? "map";
  if (wire !== "map" && wire !== "json") throw new UsageError(`--wire must be map or json, not ${wire}`);
  const driver = values.driver ?? "zmq";
  if (driver !== "zmq" && driver !== "redis")
    throw new UsageError(`--driver must be zmq or redis, not ${driver}`);
  const { redis = null } = values;
  if (redis !== null && driver !== "redis") throw new UsageError("--redis goes with --driver redis only");
  if (redis !== null && !/^\S+:\d{1,5}$/.test(redis))
    throw new UsageError(`--redis must be HOST:PORT, not ${redis}`);
  return {
    seconds: values.forever ? null : number("seconds", values.seconds, 12, 1, 86_400, false),
    writers: number("writers", values.writers, 3, 1, 64),
    controllers: number("controllers", values.controllers, 4, 1, 64),
    rate: number("rate", values.rate, 10_000, 1, 1_000_000),
    valueSize: number("value-size", values["value-size"], 128, 64, 2 ** 20),
    wire,
    driver,
    redis,
    dropOne: values["drop-one"] ?? false,
  };
}

interface Arguments {
  seconds?: string | undefined;
  forever?: boolean | undefined;
  writers?: string | undefined;
  controllers?: string | undefined;
  rate?: string | undefined;
  "value-size"?: string | undefined;
  wire?: string | undefined;
  driver?: string | undefined;
  redis?: string | undefined;
  "drop-one"?: boolean | undefined;
  help?: boolean | undefined;
}

function readArguments(args: readonly string[]): Arguments {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: "string" },
        forever: { type: "boolean" },
        writers: { type: "string" },
        controllers: { type: "string" },
        rate: { type: "string" },
        "value-size": { type: "string" },
        wire: { type: "string" },
        driver: { type: "string" },
        redis: { type: "string" },
        "drop-one": { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function number(
  name: string,
  given: string | undefined,
  initial: number,
  least: number,
  most: number,
  whole = true,
): number {
  if (given === undefined) return initial;
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new UsageError(`--${name} must be ${kind} from ${least} to ${most}, not ${JSON.stringify(given)}`);
}
