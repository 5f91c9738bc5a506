import { integerOf, keyOf } from "../bytes.ts";
import { type Command, CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import type { Session } from "../session.ts";
import type { Entry } from "../store.ts";

/** Keys, whatever their values are. */
export const KEYS: readonly Command[] = [
  { name: "del", arity: -2, flags: ["write"], keys: [1, -1, 1], run: del },
  { name: "exists", arity: -2, flags: ["readonly", "fast"], keys: [1, -1, 1], run: exists },
  { name: "type", arity: 2, flags: ["readonly", "fast"], keys: [1, 1, 1], run: type },
  { name: "ttl", arity: 2, flags: ["readonly", "fast"], keys: [1, 1, 1], run: ttl },
  { name: "pttl", arity: 2, flags: ["readonly", "fast"], keys: [1, 1, 1], run: pttl },
  { name: "scan", arity: -2, flags: ["readonly"], run: scan },
  {
    name: "dbsize",
    arity: 1,
    flags: ["readonly", "fast"],
    run: ({ reply, keys }) => reply.integer(keys.size),
  },
  { name: "flushdb", arity: -1, flags: ["write"], run: flushDb },
  { name: "flushall", arity: -1, flags: ["write"], run: flushAll },
];

function del({ reply, keys }: Session, [, ...names]: readonly Uint8Array[]): void {
  reply.integer(names.filter((name) => keys.delete(keyOf(name))).length);
}

function exists({ reply, keys }: Session, [, ...names]: readonly Uint8Array[]): void {
  reply.integer(names.filter((name) => keys.get(keyOf(name)) !== undefined).length);
}

function type({ reply, keys }: Session, [, name]: readonly Uint8Array[]): void {
  const entry = keys.get(keyOf(name as Uint8Array));
  reply.simple(entry === undefined ? "none" : typeOf(entry));
}

function typeOf(entry: Entry): "string" | "hash" {
  return entry.value instanceof Map ? "hash" : "string";
}

function ttl(session: Session, [, name]: readonly Uint8Array[]): void {
  const left = timeLeft(session, name as Uint8Array);
  session.reply.integer(left < 0 ? left : Math.round(left / 1000));
}

function pttl(session: Session, [, name]: readonly Uint8Array[]): void {
  session.reply.integer(Math.ceil(timeLeft(session, name as Uint8Array)));
}

/** ms; -1: for ever; -2: no such key. */
function timeLeft({ keys, core }: Session, name: Uint8Array): number {
  const entry = keys.get(keyOf(name));
  if (entry === undefined) return -2;
  return entry.expires === Number.POSITIVE_INFINITY ? -1 : entry.expires - core.environment.now();
}

/** SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] */
function scan({ reply, keys }: Session, [, cursor, ...options]: readonly Uint8Array[]): void {
  const from = readCursor(cursor as Uint8Array);
  if (from === null) throw new CommandError("ERR invalid cursor");
  let count = 10n;
  let pattern: Uint8Array | null = null;
  let wanted: string | null = null;
  for (let at = 0; at < options.length; at += 2) {
    const value = options[at + 1];
    const word = keyOf(options[at] as Uint8Array).toUpperCase();
    if (value === undefined) throw new CommandError(SYNTAX_ERROR);
    if (word === "COUNT") {
      const number = integerOf(value);
      if (number === null) throw new CommandError(NOT_AN_INTEGER);
      if (number < 1n) throw new CommandError(SYNTAX_ERROR);
      count = number;
    } else if (word === "MATCH") pattern = value;
    else if (word === "TYPE") wanted = keyOf(value).toLowerCase();
    else throw new CommandError(SYNTAX_ERROR);
  }
  const found: Uint8Array[] = [];
  const next = keys.scan(from, Number(count), (key, entry) => {
    if (pattern !== null && !matchesGlob(pattern, key)) return;
    if (wanted === null || wanted === typeOf(entry)) found.push(key);
  });
  reply.array(2);
  reply.text(String(next));
  reply.array(found.length);
  for (const key of found) reply.bulk(key);
}

/** As C's `strtoul` has it: nothing is 0, and a sign is no mistake. */
function readCursor(bytes: Uint8Array): number | null {
  if (bytes.length > 21) return null;
  const text = keyOf(bytes);
  if (text === "") return 0;
  if (!/^[+-]?\d+$/.test(text)) return null;
  const value = BigInt(text.replace("+", ""));
  if (value >= 2n ** 64n || value <= -(2n ** 64n)) return null;
  return Number(BigInt.asUintN(64, value));
}

function flushDb({ reply, keys }: Session, args: readonly Uint8Array[]): void {
  if (!isFlush(args)) throw new CommandError(SYNTAX_ERROR);
  keys.clear();
  reply.ok();
}

function flushAll({ reply, core }: Session, args: readonly Uint8Array[]): void {
  if (!isFlush(args)) throw new CommandError(SYNTAX_ERROR);
  core.store.clear();
  reply.ok();
}

/** `ASYNC` and `SYNC` make no difference here. */
function isFlush([, how, ...more]: readonly Uint8Array[]): boolean {
  if (how === undefined) return true;
  return more.length === 0 && /^(a?)sync$/i.test(keyOf(how));
}
