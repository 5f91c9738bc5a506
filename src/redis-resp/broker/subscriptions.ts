import type { Session } from "./session.ts";
import type { Topic, Topics } from "./topics.ts";

/** Under that name, the session's own subscriptions, and those of all. */
export type KindOfTopics = "channels" | "patterns" | "shardChannels";

/** Confirmed one by one, also when it was there already. */
export function subscribe(session: Session, kind: KindOfTopics, names: readonly Uint8Array[]): void {
  const topics = session.core[kind];
  for (const name of names) {
    session[kind].add(topics.add(name, session));
    confirm(session, kind, topics.kind.subscribed, name);
  }
}

/** Confirmed one by one, also when it was not there. @param names none: all; when there are none, that is confirmed. */
export function unsubscribe(session: Session, kind: KindOfTopics, names: readonly Uint8Array[]): void {
  const topics = session.core[kind];
  const all = names.length > 0 ? names : [...session[kind]].map((topic) => topic.name);
  for (const name of all) {
    const topic = topics.get(name);
    if (topic !== undefined && session[kind].delete(topic)) topics.remove(topic, session);
    confirm(session, kind, topics.kind.unsubscribed, name);
  }
  if (all.length === 0) confirm(session, kind, topics.kind.unsubscribed, null);
}

/** Ends all subscriptions to a sharded channel, unasked, as when its slot goes to another node. */
export function dropShardChannel(topics: Topics<Session>, topic: Topic<Session>): void {
  for (const session of [...topic.receivers]) {
    session.shardChannels.delete(topic);
    topics.remove(topic, session);
    confirm(session, "shardChannels", topics.kind.unsubscribed, topic.name);
  }
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
