import { bytesOf, keyOf } from "../bytes.ts";
import { type Command, CommandError, WRONG_TYPE, wrongArity } from "../command.ts";
import type { Session } from "../session.ts";
import type { Entry, Hash } from "../store.ts";

/** Values with fields. */
export const HASHES: readonly Command[] = [
  { name: "hset", arity: -4, flags: ["write", "denyoom", "fast"], keys: [1, 1, 1], run: hset },
  { name: "hget", arity: 3, flags: ["readonly", "fast"], keys: [1, 1, 1], run: hget },
  { name: "hdel", arity: -3, flags: ["write", "fast"], keys: [1, 1, 1], run: hdel },
  { name: "hkeys", arity: 2, flags: ["readonly"], keys: [1, 1, 1], run: hkeys },
  { name: "hgetall", arity: 2, flags: ["readonly"], keys: [1, 1, 1], run: hgetall },
];

function hset(session: Session, args: readonly Uint8Array[]): void {
  const { reply, keys } = session;
  if (args.length % 2 !== 0) throw new CommandError(wrongArity("hset"));
  const name = args[1] as Uint8Array;
  const entry = find(session, name) ?? keys.set(keyOf(name), new Map(), Number.POSITIVE_INFINITY);
  let added = 0;
  for (let at = 2; at < args.length; at += 2) {
    if (keys.setField(entry, keyOf(args[at] as Uint8Array), new Uint8Array(args[at + 1] as Uint8Array)))
      added += 1;
  }
  reply.integer(added);
}

function hget(session: Session, [, name, field]: readonly Uint8Array[]): void {
  const value = hashOf(find(session, name as Uint8Array)).get(keyOf(field as Uint8Array));
  if (value === undefined) session.reply.null();
  else session.reply.bulk(value);
}

function hdel(session: Session, [, name, ...fields]: readonly Uint8Array[]): void {
  const entry = find(session, name as Uint8Array);
  let deleted = 0;
  if (entry !== undefined) {
    for (const field of fields) if (session.keys.deleteField(entry, keyOf(field))) deleted += 1;
    if (hashOf(entry).size === 0) session.keys.delete(entry.key);
  }
  session.reply.integer(deleted);
}

function hkeys(session: Session, [, name]: readonly Uint8Array[]): void {
  const hash = hashOf(find(session, name as Uint8Array));
  session.reply.array(hash.size);
  for (const field of hash.keys()) session.reply.bulk(bytesOf(field));
}

function hgetall(session: Session, [, name]: readonly Uint8Array[]): void {
  const hash = hashOf(find(session, name as Uint8Array));
  session.reply.map(hash.size);
  for (const [field, value] of hash) {
    session.reply.bulk(bytesOf(field));
    session.reply.bulk(value);
  }
}

/** @throws {CommandError} when there is something else. */
function find({ keys }: Session, name: Uint8Array): Entry | undefined {
  const entry = keys.get(keyOf(name));
  if (entry === undefined || entry.value instanceof Map) return entry;
  throw new CommandError(WRONG_TYPE);
}

const NO_FIELDS: Hash = new Map();

function hashOf(entry: Entry | undefined): Hash {
  return entry === undefined ? NO_FIELDS : (entry.value as Hash);
}
