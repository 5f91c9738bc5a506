import { type Command, container } from "../command.ts";
import { COMMANDS, findCommand } from "../command-table.ts";
import type { Session } from "../session.ts";

const flags = ["loading", "stale"] as const;

/** What the broker can do, for clients that ask. */
export const COMMAND: readonly Command[] = [
  {
    ...container("command", [
      { name: "command|count", arity: 2, flags, run: ({ reply }) => reply.integer(COMMANDS.length) },
      { name: "command|info", arity: -2, flags, run: inform },
      { name: "command|docs", arity: -2, flags, run: ({ reply }) => reply.map(0) },
    ]),
    arity: -1,
    flags,
    run: ({ reply }) => all(reply),
  },
];

type Replies = Session["reply"];

function all(reply: Replies): void {
  reply.array(COMMANDS.length);
  for (const command of COMMANDS) describe(reply, command);
}

/** COMMAND INFO [name ...] */
function inform({ reply }: Session, [, , ...names]: readonly Uint8Array[]): void {
  if (names.length === 0) return all(reply);
  reply.array(names.length);
  for (const name of names) {
    const command = findCommand(name);
    if (command === undefined) reply.nullArray();
    else describe(reply, command);
  }
}

/** Its first six items, as up to version 6: the rest is for people and for access lists. */
function describe(reply: Replies, { name, arity, flags, keys = [0, 0, 0] }: Command): void {
  reply.array(6);
  reply.text(name);
  reply.integer(arity);
  reply.set(flags.length);
  for (const flag of flags) reply.simple(flag);
  for (const place of keys) reply.integer(place);
}
