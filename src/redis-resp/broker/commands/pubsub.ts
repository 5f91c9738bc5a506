import { keyOf } from "../bytes.ts";
import { type Command, container } from "../command.ts";
import { matchesGlob } from "../glob.ts";
import type { Session } from "../session.ts";
import type { Topic, Topics } from "../topics.ts";

/** Publish and subscribe, in all three kinds. */
export const PUBSUB: readonly Command[] = [
  subscribing("subscribe", (session, names) => subscribe(session, "channels", names)),
  subscribing("psubscribe", (session, names) => subscribe(session, "patterns", names)),
  { ...subscribing("ssubscribe", (s, names) => subscribe(s, "shardChannels", names)), keys: [1, -1, 1] },
  unsubscribing("unsubscribe", (session, names) => unsubscribe(session, "channels", names)),
  unsubscribing("punsubscribe", (session, names) => unsubscribe(session, "patterns", names)),
  { ...unsubscribing("sunsubscribe", (s, names) => unsubscribe(s, "shardChannels", names)), keys: [1, -1, 1] },
  { name: "publish", arity: 3, flags: ["pubsub", "loading", "stale", "fast"], run: publish },
  { name: "spublish", arity: 3, flags: ["pubsub", "loading", "stale", "fast"], keys: [1, 1, 1], run: spublish },
  container("pubsub", [
    { name: "pubsub|channels", arity: -2, flags: ["pubsub"], run: (s, args) => list(s, s.core.channels, args) },
    { name: "pubsub|numsub", arity: -2, flags: ["pubsub"], run: (s, args) => count(s, s.core.channels, args) },
    { name: "pubsub|numpat", arity: 2, flags: ["pubsub"], run: (s) => s.reply.integer(s.core.patterns.size) },
    {
      name: "pubsub|shardchannels",
      arity: -2,
      flags: ["pubsub"],
      run: (s, args) => list(s, s.core.shardChannels, args),
    },
    {
      name: "pubsub|shardnumsub",
      arity: -2,
      flags: ["pubsub"],
      run: (s, args) => count(s, s.core.shardChannels, args),
    },
  ]),
];

type Names = readonly Uint8Array[];
type KindOfTopics = "channels" | "patterns" | "shardChannels";

function subscribing(name: string, run: (session: Session, names: Names) => void): Command {
  const flags = ["pubsub", "loading", "stale"] as const;
  return { name, arity: -2, flags, whileSubscribed: true, run: (session, args) => run(session, args.slice(1)) };
}

function unsubscribing(name: string, run: (session: Session, names: Names) => void): Command {
  return { ...subscribing(name, run), arity: -1 };
}

const REFUSED = "NOPERM this user has no permissions to access one of the channels used as arguments";

/** A pattern is refused when it is refused literally. */
function isRefused({ core }: Session, names: Names): boolean {
  const refused = core.faults.channels;
  return refused.size > 0 && names.some((name) => refused.has(keyOf(name)));
}

function subscribe(session: Session, kind: KindOfTopics, names: Names): void {
  if (isRefused(session, names)) return session.reply.error(REFUSED);
  const topics = session.core[kind];
  for (const name of names) {
    session[kind].add(topics.add(name, session));
    confirm(session, kind, topics.kind.subscribed, name);
  }
}

function unsubscribe(session: Session, kind: KindOfTopics, names: Names): void {
  const topics = session.core[kind];
  const all = names.length > 0 ? names : [...session[kind]].map((topic) => topic.name);
  for (const name of all) {
    const topic = topics.get(name);
    if (topic !== undefined && session[kind].delete(topic)) topics.remove(topic, session);
    confirm(session, kind, topics.kind.unsubscribed, name);
  }
  if (all.length === 0) confirm(session, kind, topics.kind.unsubscribed, null);
}

/** The last item counts the subscriptions that are left: sharded channels by themselves, the others together. */
function confirm(session: Session, kind: KindOfTopics, word: string, name: Uint8Array | null): void {
  const { reply, channels, patterns, shardChannels } = session;
  reply.push(3);
  reply.text(word);
  if (name === null) reply.null();
  else reply.bulk(name);
  reply.integer(kind === "shardChannels" ? shardChannels.size : channels.size + patterns.size);
}

/** Ends all subscriptions to a sharded channel, as when its slot goes to another node. */
export function dropShardChannel(topics: Topics<Session>, topic: Topic<Session>): void {
  for (const session of [...topic.receivers]) {
    session.shardChannels.delete(topic);
    topics.remove(topic, session);
    confirm(session, "shardChannels", topics.kind.unsubscribed, topic.name);
  }
}

function publish(session: Session, [, channel, payload]: readonly Uint8Array[]): void {
  const { core, reply } = session;
  if (isRefused(session, [channel as Uint8Array])) return reply.error(REFUSED);
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
  if (isRefused(session, [channel as Uint8Array])) return reply.error(REFUSED);
  const topic = core.shardChannels.get(channel as Uint8Array);
  core.counters.published += 1;
  reply.integer(topic?.send(core.environment.allocateUnseen, [payload as Uint8Array]) ?? 0);
}

/** PUBSUB CHANNELS [pattern] */
function list({ reply }: Session, topics: Topics<Session>, args: readonly Uint8Array[]): void {
  const [, subcommand, pattern, ...more] = args;
  if (more.length > 0) {
    const name = keyOf(subcommand as Uint8Array);
    return reply.error(
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
