import { topicFrame } from "../event/codec.ts";
import type { TopicMatch } from "../event/topics.ts";

/** What is subscribed to for a topic. */
export interface Channel {
  readonly kind: "channel" | "pattern";
  readonly name: Buffer;
}

/** The topic "" means everything; the channel without a name is the one that no pattern of a server matches. */
export function channelsOf(topic: string, match: TopicMatch): Channel[] {
  const name = topicFrame(topic);
  if (topic === "") return [{ kind: "pattern", name: patternOf(name) }, exactly(name)];
  return [match === "exact" ? exactly(name) : { kind: "pattern", name: patternOf(name) }];
}

export function exactly(name: Buffer): Channel {
  return { kind: "channel", name };
}

/** The glob that matches whatever begins with these bytes, and nothing else. */
function patternOf(prefix: Buffer): Buffer {
  return Buffer.from(`${prefix.toString("latin1").replace(/[\\*?[\]]/g, "\\$&")}*`, "latin1");
}

/** Where servers speak of themselves: who listens to everything does not mean this. */
const OF_THE_SERVER = ["__keyspace@", "__keyevent@", "__redis__:", "__sentinel__:"].map((name) =>
  Buffer.from(name),
);

export function isOfTheServer(channel: Buffer): boolean {
  return channel[0] === 0x5f && OF_THE_SERVER.some((name) => channel.subarray(0, name.length).equals(name));
}
