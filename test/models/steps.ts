import fc from "fast-check";
import type { Sending } from "./sender.ts";
import type { Verbosity } from "./x-sender.ts";

/** What happens to sockets and network, one thing after the other. Numbers choose among what is there at the time. */
export type Step =
  | {
      do: "connect" | "disconnect" | "bind" | "unbind";
      side: Side;
      actor: number;
      address: number;
      linger: number;
    }
  | { do: "restart"; side: Side; actor: number; linger: number }
  | { do: "subscribe" | "unsubscribe"; actor: number; topic: string }
  | { do: "confirmed"; actor: number }
  | { do: "subscribed"; actor: number; topic: string; count: number }
  | { do: "send"; actor: number; count: number; sending: Sending }
  | { do: "tell"; actor: number; subscribe: boolean; topic: string }
  | { do: "upstream"; actor: number; count: number; topic: string | null }
  | {
      do: "receive";
      side?: Side;
      actor: number;
      how: "one" | "batch" | "aborted" | "abortable";
      count: number;
    }
  | { do: "abort"; call: number }
  | { do: "kill"; link: number; after: number }
  | { do: "stall" | "unstall" | "freeze"; link: number }
  | { do: "blackHole"; side: Side; address: number; on: boolean }
  | { do: "highWaterMark"; side: Side; actor: number; messages: number }
  | { do: "turns"; count: number }
  | { do: "settle" }
  | { do: "pass"; ms: number };

export type Side = "sender" | "receiver";

/** How a run begins. */
export interface Start {
  seed: number;
  /** Who is bound, dialled by all the others; receivers have a topic. */
  bound: Side | "nobody";
  /** How many sockets there are: few make many runs, and most of what goes wrong needs but two. */
  senders: number;
  receivers: number;
  /** Bytes on their way before a stream is full; bytes that a chunk may have. */
  capacity: number;
  maxChunk: number;
  sendHighWaterMark: number;
  sendTimeout: number;
  receiveHighWaterMark: number;
  receiveTimeout: number;
  heartbeatInterval: number;
  overflow: "drop" | "disconnect";
  /** Only with PUSH and PULL, PUB and SUB. */
  conflating: Side | "nobody" | "both";
  immediate: boolean;
  /** Only with XPUB and XSUB. */
  verbosity: Verbosity;
  noDrop: boolean;
  invertMatching: boolean;
  hasWelcome: boolean;
  /** Whether a PUB and a SUB are among them. */
  isMixed: boolean;
  verboseUnsubscribe: boolean;
}

/** Topics that are prefixes of one another, and one that is a prefix of all. */
const topic = fc.constantFrom("", "a", "ab", "abc", "b");
const actor = fc.nat(2);
const side = fc.constantFrom<Side>("sender", "receiver");
const linger = fc.constantFrom(0, 30, 500, -1);
const link = fc.nat(20);
const highWaterMark = fc.constantFrom(0, 1, 2, 5, 50);

function step<Name extends Step["do"]>(
  weight: number,
  names: readonly Name[],
  rest: Record<string, fc.Arbitrary<unknown>>,
): { weight: number; arbitrary: fc.Arbitrary<Step> } {
  return { weight, arbitrary: fc.record({ do: fc.constantFrom(...names), ...rest }) as fc.Arbitrary<Step> };
}

/** Sizes around a short frame's 255 bytes and the 1 KiB from which bodies are not copied; few that fill a stream. */
const size = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  { weight: 2, arbitrary: fc.constantFrom(0, 254, 255, 256, 1024, 1025) },
  { weight: 1, arbitrary: fc.constantFrom(5000, 70_000) },
);

const sending: fc.Arbitrary<Sending> = fc.record({
  how: fc.constantFrom("try", "try", "send", "send", "abortable", "aborted"),
  topic: fc.constantFrom("a", "ab", "abc", "abd", "b", "c", ""),
  size,
  more: fc.nat(3),
});

const COMMON = [
  step(2, ["connect", "disconnect", "bind", "unbind", "connect"], {
    side,
    actor,
    address: fc.nat(2),
    linger,
  }),
  step(1, ["restart"], { side, actor, linger: fc.constantFrom(0, 30, 500) }),
  step(7, ["send"], { actor, count: fc.integer({ min: 1, max: 12 }), sending }),
  step(4, ["receive"], {
    actor,
    how: fc.constantFrom("one", "one", "batch", "aborted", "abortable"),
    count: fc.integer({ min: 1, max: 20 }),
  }),
  step(1, ["abort"], { call: fc.nat(20) }),
  step(2, ["kill"], { link, after: fc.oneof(fc.constant(0), fc.nat(200)) }),
  step(2, ["stall", "stall", "unstall", "unstall", "freeze"], { link }),
  step(1, ["blackHole"], { side, address: fc.nat(2), on: fc.boolean() }),
  step(1, ["highWaterMark"], { side, actor, messages: highWaterMark }),
  step(3, ["turns"], { count: fc.integer({ min: 1, max: 8 }) }),
  step(4, ["settle"], {}),
  step(3, ["pass"], { ms: fc.constantFrom(1, 10, 25, 50, 120, 400) }),
];

const TOPICS = [
  step(3, ["subscribe", "unsubscribe", "subscribe"], { actor, topic }),
  step(1, ["confirmed"], { actor }),
  step(1, ["subscribed"], { actor, topic, count: fc.integer({ min: 1, max: 3 }) }),
];

const UPSTREAM = [
  step(2, ["tell"], { actor, subscribe: fc.boolean(), topic }),
  step(2, ["upstream"], {
    actor,
    count: fc.integer({ min: 1, max: 4 }),
    topic: fc.option(topic, { freq: 3 }),
  }),
  step(3, ["receive"], {
    side: fc.constant("sender"),
    actor,
    how: fc.constantFrom("one", "batch", "aborted", "abortable"),
    count: fc.integer({ min: 1, max: 20 }),
  }),
];

export const start: fc.Arbitrary<Start> = fc.record({
  seed: fc.integer(),
  bound: fc.constantFrom("receiver", "sender", "receiver", "sender", "nobody"),
  senders: fc.integer({ min: 1, max: 2 }),
  receivers: fc.integer({ min: 1, max: 3 }),
  capacity: fc.constantFrom(100, 2000, 65_536),
  maxChunk: fc.constantFrom(Number.MAX_SAFE_INTEGER, 3000, 100, 7),
  sendHighWaterMark: highWaterMark,
  sendTimeout: fc.constantFrom(-1, -1, 0, 40),
  receiveHighWaterMark: highWaterMark,
  receiveTimeout: fc.constantFrom(-1, -1, 30),
  heartbeatInterval: fc.constantFrom(0, 0, 50),
  overflow: fc.constantFrom("drop", "drop", "disconnect"),
  conflating: fc.constantFrom("nobody", "nobody", "nobody", "nobody", "sender", "receiver", "both"),
  immediate: fc.constantFrom(false, false, true),
  verbosity: fc.constantFrom<Verbosity>(null, "allSubs", "allSubsUnsubs"),
  noDrop: fc.constantFrom(false, false, true),
  invertMatching: fc.constantFrom(false, false, false, true),
  hasWelcome: fc.boolean(),
  isMixed: fc.boolean(),
  verboseUnsubscribe: fc.constantFrom(false, false, true),
});

export type Kind = "push-pull" | "pub-sub" | "xpub-xsub";

const LENGTH = { minLength: 1, maxLength: 60, size: "max" } as const;
const pushPullSteps = fc.array(fc.oneof(...COMMON), LENGTH);
const pubSubSteps = fc.array(fc.oneof(...COMMON, ...TOPICS), LENGTH);
const xpubXsubSteps = fc.array(fc.oneof(...COMMON, ...TOPICS, ...UPSTREAM), LENGTH);

const STEPS: Record<Kind, fc.Arbitrary<Step[]>> = {
  "push-pull": pushPullSteps,
  "pub-sub": pubSubSteps,
  "xpub-xsub": xpubXsubSteps,
};

export function stepsOf(kind: Kind): fc.Arbitrary<Step[]> {
  return STEPS[kind];
}
