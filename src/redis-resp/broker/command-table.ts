import { keyOf } from "./bytes.ts";
import type { Command } from "./command.ts";
import { CLUSTER } from "./commands/cluster.ts";
import { describing } from "./commands/command.ts";
import { CONNECTION } from "./commands/connection.ts";
import { HASHES } from "./commands/hashes.ts";
import { KEYS } from "./commands/keys.ts";
import { PUBSUB } from "./commands/pubsub.ts";
import { SERVER } from "./commands/server.ts";
import { STRINGS } from "./commands/strings.ts";

/** All that the broker can do. */
export const COMMANDS: readonly Command[] = [
  ...CONNECTION,
  ...STRINGS,
  ...HASHES,
  ...KEYS,
  ...PUBSUB,
  ...SERVER,
  ...CLUSTER,
  describing(() => COMMANDS, findCommand),
];

/** By name, in both of the ways that clients write it. */
const BY_NAME: ReadonlyMap<string, Command> = byName(COMMANDS, (name) => name);
const SUBCOMMANDS: ReadonlyMap<Command, ReadonlyMap<string, Command>> = new Map(
  COMMANDS.filter(({ subcommands }) => subcommands !== undefined).map((command) => [
    command,
    byName(command.subcommands as readonly Command[], (name) => name.slice(command.name.length + 1)),
  ]),
);

export function findCommand(name: Uint8Array): Command | undefined {
  return find(BY_NAME, name);
}

export function findSubcommand(command: Command, name: Uint8Array): Command | undefined {
  return find(SUBCOMMANDS.get(command) as ReadonlyMap<string, Command>, name);
}

function find(commands: ReadonlyMap<string, Command>, name: Uint8Array): Command | undefined {
  const text = keyOf(name);
  return commands.get(text) ?? commands.get(text.toLowerCase());
}

function byName(commands: readonly Command[], shorten: (name: string) => string): Map<string, Command> {
  return new Map(
    commands.flatMap((command) => {
      const name = shorten(command.name);
      return [
        [name, command],
        [name.toUpperCase(), command],
      ] as const;
    }),
  );
}
