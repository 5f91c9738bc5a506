import type { Session } from "./session.ts";

/** As `COMMAND` shows them. */
export type Flag =
  | "readonly"
  | "write"
  | "denyoom"
  | "fast"
  | "admin"
  | "pubsub"
  | "no_auth"
  | "loading"
  | "stale";

/** What the broker can do: one command, or one with subcommands. */
export interface Command {
  /** In lower case; a subcommand as `client|id`. */
  readonly name: string;
  /** How many arguments, the name (and the subcommand's) included; negative: at least so many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  /** The places of the keys or sharded channels: first, last (-1: the last argument), step. */
  readonly keys?: readonly [first: number, last: number, step: number];
  /** Also allowed to a RESP2 client with subscriptions. */
  readonly whileSubscribed?: true;
  /**
   * Replies, once or with pushes.
   * @param args at least as many as `arity` says, the name first. They are views: copy what is to be kept.
   * @throws {CommandError}
   */
  readonly run: (session: Session, args: readonly Uint8Array[]) => void;
  readonly subcommands?: readonly Command[];
}

/** Ends a command, of which nothing was replied yet, with an error reply. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export const SYNTAX_ERROR = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";

/** A command that is nothing without one of its subcommands. */
export function container(name: string, subcommands: readonly Command[]): Command {
  const run = (): void => {};
  return { name, arity: -2, flags: [], run, subcommands };
}

export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}
