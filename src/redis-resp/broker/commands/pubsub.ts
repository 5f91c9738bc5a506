import { keyOf } from "../bytes.ts";
import { type Command, CommandError, container } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import type { Session } from "../session.ts";
import { type KindOfTopics, subscribe, unsubscribe } from "../subscriptions.ts";
import type { Topics } from "../topics.ts";

/** Publish and subscribe, in all three kinds. */
export const PUBSUB: readonly Command[] = [
  subscribing("subscribe", "channels"),
  subscribing("psubscribe", "patterns"),
  { ...subscribing("ssubscribe", "shardChannels"), keys: [1, -1, 1] },
  unsubscribing("unsubscribe", "channels"),
  unsubscribing("punsubscribe", "patterns"),
  { ...unsubscribing("sunsubscribe", "shardChannels"), keys: [1, -1, 1] },
  { name: "publish", arity: 3, flags: ["pubsub", "loading", "stale", "fast"], run: publish },
  {
    name: "spublish",
    arity: 3,
    flags: ["pubsub", "loading", "stale", "fast"],
    keys: [1, 1, 1],
    run: spublish,
  },
  container("pubsub", [
    inspecting("channels", -2, (session, args) => list(session, session.core.channels, args)),
    inspecting("numsub", -2, (session, args) => count(session, session.core.channels, args)),
    inspecting("numpat", 2, ({ reply, core }) => reply.integer(core.patterns.size)),
    inspecting("shardchannels", -2, (session, args) => list(session, session.core.shardChannels, args)),
    inspecting("shardnumsub", -2, (session, args) => count(session, session.core.shardChannels, args)),
  ]),
];

function subscribing(name: string, kind: KindOfTopics): Command {
  const run = (session: Session, [, ...names]: readonly Uint8Array[]): void => {
    assertAllowed(session, names);
    subscribe(session, kind, names);
  };
  return { name, arity: -2, flags: ["pubsub", "loading", "stale"], whileSubscribed: true, run };
}

function unsubscribing(name: string, kind: KindOfTopics): Command {
  const run: Command["run"] = (session, [, ...names]) => unsubscribe(session, kind, names);
  return { name, arity: -1, flags: ["pubsub", "loading", "stale"], whileSubscribed: true, run };
}

function inspecting(name: string, arity: number, run: Command["run"]): Command {
  return { name: `pubsub|${name}`, arity, flags: ["pubsub", "loading", "stale"], run };
}

/** A pattern is refused when it is refused literally. */
function assertAllowed({ core }: Session, names: readonly Uint8Array[]): void {
  const refused = core.faults.channels;
  if (refused.size === 0 || !names.some((name) => refused.has(keyOf(name)))) return;
  throw new CommandError(
    "NOPERM this user has no permissions to access one of the channels used as arguments",
  );
}

function publish(session: Session, [, channel, payload]: readonly Uint8Array[]): void {
  const { core, reply } = session;
  assertAllowed(session, [channel as Uint8Array]);
  const allocate = core.environment.allocateUnseen;
  let receivers = core.channels.get(channel as Uint8Array)?.send(allocate, [payload as Uint8Array]) ?? 0;
  if (core.patterns.size > 0) {
    for (const pattern of core.patterns) {
      if (!matchesGlob(pattern.name, channel as Uint8Array)) continue;
      receivers += pattern.send(allocate, [channel as Uint8Array, payload as Uint8Array]);
    }
  }
  core.counters.published += 1;
  reply.integer(receivers);
}

function spublish(session: Session, [, channel, payload]: readonly Uint8Array[]): void {
  const { core, reply } = session;
  assertAllowed(session, [channel as Uint8Array]);
  const topic = core.shardChannels.get(channel as Uint8Array);
  core.counters.published += 1;
  reply.integer(topic?.send(core.environment.allocateUnseen, [payload as Uint8Array]) ?? 0);
}

/** PUBSUB CHANNELS [pattern] */
function list({ reply }: Session, topics: Topics<Session>, args: readonly Uint8Array[]): void {
  const [, subcommand, pattern, ...more] = args;
  if (more.length > 0) {
    const name = keyOf(subcommand as Uint8Array);
    throw new CommandError(
      `ERR unknown subcommand or wrong number of arguments for '${name}'. Try PUBSUB HELP.`,
    );
  }
  const found = [...topics].filter(({ name }) => pattern === undefined || matchesGlob(pattern, name));
  reply.array(found.length);
  for (const { name } of found) reply.bulk(name);
}

/** PUBSUB NUMSUB [channel ...] */
function count({ reply }: Session, topics: Topics<Session>, [, , ...names]: readonly Uint8Array[]): void {
  reply.array(2 * names.length);
  for (const name of names) {
    reply.bulk(name);
    reply.integer(topics.get(name)?.receivers.size ?? 0);
  }
}
