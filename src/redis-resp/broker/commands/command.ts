import { type Command, container } from "../command.ts";
import type { Session } from "../session.ts";

const flags = ["loading", "stale"] as const;

/**
 * What the broker can do, for clients that ask.
 * @param known all commands, this one among them; a command by its name.
 */
export function describing(
  known: () => readonly Command[],
  find: (name: Uint8Array) => Command | undefined,
): Command {
  const subcommands: Command[] = [
    { name: "command|count", arity: 2, flags, run: ({ reply }) => reply.integer(known().length) },
    { name: "command|docs", arity: -2, flags, run: ({ reply }) => reply.map(0) },
    {
      name: "command|info",
      arity: -2,
      flags,
      run: ({ reply }, [, , ...names]) => describe(reply, names.length > 0 ? names.map(find) : known()),
    },
  ];
  const run: Command["run"] = ({ reply }) => describe(reply, known());
  return { ...container("command", subcommands), arity: -1, flags, run };
}

/** The first six items of each, as up to version 6: the rest is for people and for access lists. */
function describe(reply: Session["reply"], commands: readonly (Command | undefined)[]): void {
  reply.array(commands.length);
  for (const command of commands) {
    if (command === undefined) {
      reply.null();
      continue;
    }
    const { name, arity, flags, keys = [0, 0, 0] } = command;
    reply.array(6);
    reply.text(name);
    reply.integer(arity);
    reply.set(flags.length);
    for (const flag of flags) reply.simple(flag);
    for (const place of keys) reply.integer(place);
  }
}
