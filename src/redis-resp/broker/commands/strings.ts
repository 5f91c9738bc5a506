import { bytesOf, integerOf, keyOf } from "../bytes.ts";
import { type Command, CommandError, NOT_AN_INTEGER, SYNTAX_ERROR, WRONG_TYPE } from "../command.ts";
import type { Session } from "../session.ts";

/** Values without fields. */
export const STRINGS: readonly Command[] = [
  { name: "get", arity: 2, flags: ["readonly", "fast"], keys: [1, 1, 1], run: get },
  { name: "set", arity: -3, flags: ["write", "denyoom"], keys: [1, 1, 1], run: set },
  {
    name: "incr",
    arity: 2,
    flags: ["write", "denyoom", "fast"],
    keys: [1, 1, 1],
    run: (session, [, key]) => increment(session, key as Uint8Array, 1n),
  },
  {
    name: "incrby",
    arity: 3,
    flags: ["write", "denyoom", "fast"],
    keys: [1, 1, 1],
    run: (session, [, key, by]) => increment(session, key as Uint8Array, wholeNumber(by as Uint8Array)),
  },
];

const FOR_EVER = Number.POSITIVE_INFINITY;

function get({ reply, keys }: Session, [, key]: readonly Uint8Array[]): void {
  const value = keys.get(keyOf(key as Uint8Array))?.value;
  if (value === undefined) reply.null();
  else if (value instanceof Uint8Array) reply.bulk(value);
  else throw new CommandError(WRONG_TYPE);
}

/** SET key value [NX | XX] [GET] [EX seconds | PX ms | KEEPTTL] */
function set({ reply, keys, core }: Session, args: readonly Uint8Array[]): void {
  const options = readSetOptions(args.slice(3));
  const key = keyOf(args[1] as Uint8Array);
  const old = keys.get(key);
  if (options.get) {
    if (old === undefined) reply.null();
    else if (old.value instanceof Uint8Array) reply.bulk(old.value);
    else throw new CommandError(WRONG_TYPE);
  }
  if (options.only !== null && (old === undefined) !== (options.only === "NX")) {
    if (!options.get) reply.null();
    return;
  }
  const value = new Uint8Array(args[2] as Uint8Array);
  const kept = options.keep && old !== undefined ? old.expires - core.environment.now() : FOR_EVER;
  keys.set(key, value, options.lifetime ?? kept);
  if (!options.get) reply.ok();
}

interface SetOptions {
  only: "NX" | "XX" | null;
  get: boolean;
  keep: boolean;
  /** ms */
  lifetime: number | null;
}

function readSetOptions(args: readonly Uint8Array[]): SetOptions {
  const options: SetOptions = { only: null, get: false, keep: false, lifetime: null };
  let time: { bytes: Uint8Array; unit: bigint } | null = null;
  for (let at = 0; at < args.length; at++) {
    const word = keyOf(args[at] as Uint8Array).toUpperCase();
    const next = args[at + 1];
    if ((word === "NX" || word === "XX") && (options.only ?? word) === word) options.only = word;
    else if (word === "GET") options.get = true;
    else if (word === "KEEPTTL" && time === null) options.keep = true;
    else if ((word === "EX" || word === "PX") && next !== undefined && time === null && !options.keep) {
      time = { bytes: next, unit: word === "EX" ? 1000n : 1n };
      at += 1;
    } else throw new CommandError(SYNTAX_ERROR);
  }
  if (time === null) return options;
  const count = wholeNumber(time.bytes);
  if (count <= 0n || count * time.unit > LONGEST) {
    throw new CommandError("ERR invalid expire time in 'set' command");
  }
  options.lifetime = Number(count * time.unit);
  return options;
}

/** ms; the server has less by the time of its clock. */
const LONGEST = 2n ** 63n - 1n - 2n ** 41n;

function increment({ reply, keys, core }: Session, name: Uint8Array, by: bigint): void {
  const key = keyOf(name);
  const old = keys.get(key);
  if (old !== undefined && !(old.value instanceof Uint8Array)) throw new CommandError(WRONG_TYPE);
  const value = (old === undefined ? 0n : wholeNumber(old.value as Uint8Array)) + by;
  if (value !== BigInt.asIntN(64, value)) {
    throw new CommandError("ERR increment or decrement would overflow");
  }
  const lifetime = old === undefined ? FOR_EVER : old.expires - core.environment.now();
  keys.set(key, bytesOf(String(value)), lifetime);
  reply.integer(value);
}

function wholeNumber(bytes: Uint8Array): bigint {
  const value = integerOf(bytes);
  if (value === null) throw new CommandError(NOT_AN_INTEGER);
  return value;
}
