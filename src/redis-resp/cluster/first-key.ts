import type { Argument } from "../protocol/encoder.ts";
import { asText } from "../protocol/values.ts";

/** Commands without a key: any node will do. */
const KEYLESS: ReadonlySet<string> = new Set(
  (
    "ACL AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE ECHO FAILOVER FLUSHALL FLUSHDB FUNCTION HELLO INFO " +
    "KEYS LASTSAVE LATENCY LOLWUT MODULE PING PUBLISH PUBSUB RANDOMKEY READONLY READWRITE ROLE SAVE SCAN SCRIPT SHUTDOWN " +
    "SLOWLOG TIME WAIT"
  ).split(" "),
);

/** Where the first key stands, when not right behind the name of the command. */
const POSITIONS: ReadonlyMap<string, number> = new Map([
  ...words("BITOP DEBUG MEMORY OBJECT XGROUP XINFO", 2),
  // A count of keys stands before them.
  ...words("LMPOP SINTERCARD ZDIFF ZINTER ZINTERCARD ZMPOP ZUNION", 2),
  ...words("BLMPOP BZMPOP EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO MIGRATE", 3),
]);

const SCRIPTS: ReadonlySet<string> = new Set("EVAL EVALSHA EVALSHA_RO EVAL_RO FCALL FCALL_RO".split(" "));

/** The first key of a command, by whose slot it finds its node; null where it has none. */
export function firstKey(args: readonly Argument[]): string | Uint8Array | null {
  const name = textOf(args[0]).toUpperCase();
  if (KEYLESS.has(name)) return null;
  if (SCRIPTS.has(name) && textOf(args[2]) === "0") return null;
  return keyOf(args[positionIn(name, args)]);
}

function positionIn(name: string, args: readonly Argument[]): number {
  if (name !== "XREAD" && name !== "XREADGROUP") return POSITIONS.get(name) ?? 1;
  return 1 + args.findIndex((arg) => textOf(arg).toUpperCase() === "STREAMS");
}

function keyOf(arg: Argument | undefined): string | Uint8Array | null {
  if (arg === undefined || arg instanceof Uint8Array) return arg ?? null;
  return String(arg);
}

function textOf(arg: Argument | undefined): string {
  return arg instanceof Uint8Array ? String(asText(arg)) : String(arg ?? "");
}

function words(names: string, position: number): [string, number][] {
  return names.split(" ").map((name) => [name, position]);
}
