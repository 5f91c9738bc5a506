import { slotOf } from "../cluster/slot.ts";
import { keyOf } from "./bytes.ts";
import { type Command, wrongArity } from "./command.ts";
import { findCommand, findSubcommand } from "./command-table.ts";
import type { Session } from "./session.ts";

/** What a page from a browser begins with, when somebody makes it speak to us: not answered at all. */
const CROSS_PROTOCOL = new Set(["post", "host:"]);

/** Executes one request: one reply, or the pushes that stand for it. */
export function execute(session: Session, args: readonly Uint8Array[]): void {
  session.core.counters.commands += 1;
  const found = findCommand(args[0] as Uint8Array);
  if (found === undefined) return unknownCommand(session, args);
  const command =
    found.subcommands === undefined || args.length < 2 ? found : findSubcommand(found, args[1] as Uint8Array);
  if (command === undefined) return unknownSubcommand(session, found, args[1] as Uint8Array);
  const error = refusal(session, command, args);
  if (error !== null) session.reply.error(error);
  else command.run(session, args);
}

/** Why the command is not executed, in the order in which the server asks; null: it is. */
function refusal(session: Session, command: Command, args: readonly Uint8Array[]): string | null {
  const { arity, flags } = command;
  // Whoever wants to go may go.
  if (command.name === "quit") return null;
  if (arity < 0 ? args.length < -arity : args.length !== arity) return wrongArity(command.name);
  if (!session.authenticated && !flags.includes("no_auth")) return "NOAUTH Authentication required.";
  const { core } = session;
  if (core.faults.commands.size > 0 && core.faults.commands.has(command.name)) {
    return `NOPERM this user has no permissions to run the '${command.name}' command`;
  }
  if (command.keys !== undefined && (core.options.cluster || core.faults.moved.size > 0)) {
    const redirection = elsewhere(session, command, args);
    if (redirection !== null) return redirection;
  }
  if (flags.includes("denyoom") && core.store.isFull(sizeOf(args))) {
    return "OOM command not allowed when used memory > 'maxmemory'.";
  }
  if (session.protocol === 2 && session.isSubscriber && command.whileSubscribed !== true) {
    const allowed = "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET";
    return `ERR Can't execute '${command.name}': only ${allowed} are allowed in this context`;
  }
  return null;
}

/** In a cluster, keys belong to a slot, and all keys of a command to the same one. */
function elsewhere(session: Session, command: Command, args: readonly Uint8Array[]): string | null {
  const [first, last, step] = command.keys as readonly [number, number, number];
  const end = last < 0 ? args.length + last : last;
  let slot = -1;
  for (let at = first; at <= end; at += step) {
    const its = slotOf(args[at] as Uint8Array);
    if (slot >= 0 && slot !== its && session.core.options.cluster) {
      return "CROSSSLOT Keys in request don't hash to the same slot";
    }
    slot = its;
    const owner = session.core.faults.moved.get(slot);
    if (owner !== undefined) return `MOVED ${slot} ${owner.host}:${owner.port}`;
  }
  return null;
}

function unknownCommand(session: Session, args: readonly Uint8Array[]): void {
  const name = textOf(args[0] as Uint8Array);
  if (CROSS_PROTOCOL.has(name.toLowerCase())) return session.destroy();
  let shown = "";
  for (const arg of args.slice(1)) {
    if (shown.length >= MOST_SHOWN) break;
    shown += `'${textOf(arg).slice(0, MOST_SHOWN - shown.length)}' `;
  }
  session.reply.error(
    `ERR unknown command '${name.slice(0, MOST_SHOWN)}', with args beginning with: ${shown}`,
  );
}

function unknownSubcommand(session: Session, command: Command, name: Uint8Array): void {
  const shown = textOf(name).slice(0, MOST_SHOWN);
  session.reply.error(`ERR unknown subcommand '${shown}'. Try ${command.name.toUpperCase()} HELP.`);
}

const MOST_SHOWN = 128;

/** What an error shows of an argument: up to a NUL. */
function textOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return keyOf(nul < 0 ? bytes : bytes.subarray(0, nul));
}

function sizeOf(args: readonly Uint8Array[]): number {
  return args.reduce((sum, arg) => sum + arg.length, 0);
}
