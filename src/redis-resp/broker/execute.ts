import { slotOf } from "../cluster/slot.ts";
import { keyOf } from "./bytes.ts";
import { type Command, CommandError, wrongArity } from "./command.ts";
import { findCommand, findSubcommand } from "./command-table.ts";
import type { Session } from "./session.ts";

/** What a browser begins with when a page makes it speak to us: not answered at all. */
const CROSS_PROTOCOL = new Set(["post", "host:"]);

/** Executes one request: one reply, or the pushes that stand for it. */
export function execute(session: Session, args: readonly Uint8Array[]): void {
  session.core.counters.commands += 1;
  try {
    const command = lookUp(args);
    assertAllowed(session, command, args);
    command.run(session, args);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    if (CROSS_PROTOCOL.has(keyOf(args[0] as Uint8Array).toLowerCase())) session.destroy();
    else session.reply.error(error.message);
  }
}

function lookUp(args: readonly Uint8Array[]): Command {
  const command = findCommand(args[0] as Uint8Array);
  if (command === undefined) throw unknownCommand(args);
  if (command.subcommands === undefined || args.length < 2) return command;
  const subcommand = findSubcommand(command, args[1] as Uint8Array);
  if (subcommand !== undefined) return subcommand;
  const shown = textOf(args[1] as Uint8Array).slice(0, MOST_SHOWN);
  throw new CommandError(`ERR unknown subcommand '${shown}'. Try ${command.name.toUpperCase()} HELP.`);
}

/** In the order in which the server asks. */
function assertAllowed(session: Session, command: Command, args: readonly Uint8Array[]): void {
  const { name, arity, flags } = command;
  // Whoever wants to go may go.
  if (name === "quit") return;
  if (arity < 0 ? args.length < -arity : args.length !== arity) throw new CommandError(wrongArity(name));
  if (!session.authenticated && !flags.includes("no_auth")) {
    throw new CommandError("NOAUTH Authentication required.");
  }
  const { faults, options, store } = session.core;
  if (faults.commands.size > 0 && faults.commands.has(name)) {
    throw new CommandError(`NOPERM this user has no permissions to run the '${name}' command`);
  }
  if (command.keys !== undefined && (options.cluster || faults.moved.size > 0)) {
    assertHere(session, command.keys, args);
  }
  if (flags.includes("denyoom") && store.isFull(sizeOf(args))) {
    throw new CommandError("OOM command not allowed when used memory > 'maxmemory'.");
  }
  if (session.protocol === 2 && session.isSubscriber && command.whileSubscribed !== true) {
    const allowed = "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET";
    throw new CommandError(`ERR Can't execute '${name}': only ${allowed} are allowed in this context`);
  }
}

/** In a cluster all keys of a command belong to one slot, and a slot to one node. */
function assertHere(
  { core }: Session,
  [first, last, step]: NonNullable<Command["keys"]>,
  args: readonly Uint8Array[],
): void {
  const end = last < 0 ? args.length + last : last;
  const slots = new Set<number>();
  for (let at = first; at <= end; at += step) slots.add(slotOf(args[at] as Uint8Array));
  if (core.options.cluster && slots.size > 1) {
    throw new CommandError("CROSSSLOT Keys in request don't hash to the same slot");
  }
  for (const slot of slots) {
    const owner = core.faults.moved.get(slot);
    if (owner !== undefined) throw new CommandError(`MOVED ${slot} ${owner.host}:${owner.port}`);
  }
}

const MOST_SHOWN = 128;

function unknownCommand(args: readonly Uint8Array[]): CommandError {
  const name = textOf(args[0] as Uint8Array).slice(0, MOST_SHOWN);
  let shown = "";
  for (const arg of args.slice(1)) {
    if (shown.length >= MOST_SHOWN) break;
    shown += `'${textOf(arg).slice(0, MOST_SHOWN - shown.length)}' `;
  }
  return new CommandError(`ERR unknown command '${name}', with args beginning with: ${shown}`);
}

/** What an error shows of an argument: up to a NUL. */
function textOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return keyOf(nul < 0 ? bytes : bytes.subarray(0, nul));
}

function sizeOf(args: readonly Uint8Array[]): number {
  return args.reduce((sum, arg) => sum + arg.length, 0);
}
