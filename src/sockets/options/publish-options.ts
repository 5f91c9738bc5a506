import { LONGEST_TOPIC } from "../topic.ts";
import { bool, choice, int64, type OptionRule, type OptionTable } from "./option-rules.ts";

/** Options of PUB and XPUB. They take effect at once. */
export interface PublishOptions {
  /**
   * `send` waits, up to `sendTimeout`, until every peer that a message is meant for has room, `trySend` returns false; then
   * nobody gets it. So the slowest subscriber sets the pace. Default false. ZMQ_XPUB_NODROP.
   */
  noDrop: boolean;
  /**
   * Bytes that the subscriptions of one peer may have, each topic counted with 96 more, which is what it takes in memory; a
   * peer that wants more loses its connection. Default 512 MiB: four million topics of 30 bytes have room.
   */
  maxSubscriptionBytes: number;
  /** Bytes that a topic may have; a peer that sends a longer one loses its connection. Default 1 MiB. */
  maxTopicSize: number;
}

/** An option of PUB, XPUB and SUB. */
export interface InvertOptions {
  /**
   * Messages go to the peers that have not subscribed to a prefix of their first part; to be set on both sides. Takes effect
   * at once. Default false. ZMQ_INVERT_MATCHING.
   */
  invertMatching: boolean;
}

/** Options of XPUB. Where nothing else is said, they take effect at once. */
export interface XPublishOptions {
  /**
   * Which subscriptions are received: the first of a topic and the end of the last one (null), all and the end of the last
   * one ("allSubs", ZMQ_XPUB_VERBOSE), all and the end of each ("allSubsUnsubs", ZMQ_XPUB_VERBOSER). Default null.
   */
  verbosity: null | "allSubs" | "allSubsUnsubs";
  /** Subscriptions are received, all of them, and do nothing else: see `subscribe`. Default false. ZMQ_XPUB_MANUAL. */
  manual: boolean;
  /**
   * As `manual`, and the next message goes to nobody but the peer whose message was received last, if it has subscribed.
   * Default false. ZMQ_XPUB_MANUAL_LAST_VALUE.
   */
  manualLastValue: boolean;
  /**
   * A message of one part that each peer gets at the beginning of its connection, whatever it has subscribed to; bytes are
   * copied when it is set. A SUB drops it unless it has subscribed to it by then. null or empty: none. Default null.
   * ZMQ_XPUB_WELCOME_MSG.
   */
  welcomeMessage: string | Uint8Array | null;
  /**
   * A message from a peer that does not begin with a subscription has none in its other parts either. For connections made
   * from then on. Default false. ZMQ_ONLY_FIRST_SUBSCRIBE.
   */
  onlyFirstSubscribe: boolean;
}

/** An option of XSUB. */
export interface XSubscribeOptions {
  /**
   * What is sent as `\x00topic` goes to the publishers even if the topic is still subscribed to, or never was. Takes effect at
   * once. Default false. ZMQ_XSUB_VERBOSE_UNSUBSCRIBE.
   */
  verboseUnsubscribe: boolean;
}

export const PUBLISH_OPTIONS: OptionTable<PublishOptions> = {
  noDrop: bool({ initial: false, effect: "now", libzmq: "XPUB_NODROP" }),
  maxSubscriptionBytes: int64({ initial: 512 * 2 ** 20, min: 0, unit: "bytes", effect: "now" }),
  maxTopicSize: int64({ initial: 2 ** 20, min: 0, max: LONGEST_TOPIC, unit: "bytes", effect: "now" }),
};

export const INVERT_OPTIONS: OptionTable<InvertOptions> = {
  invertMatching: bool({ initial: false, effect: "now", libzmq: "INVERT_MATCHING" }),
};

export const XPUBLISH_OPTIONS: OptionTable<XPublishOptions> = {
  verbosity: orNull(
    choice(["allSubs", "allSubsUnsubs"], {
      initial: "allSubs",
      effect: "now",
      libzmq: "XPUB_VERBOSE, ZMQ_XPUB_VERBOSER",
    }),
  ),
  manual: bool({ initial: false, effect: "now", libzmq: "XPUB_MANUAL" }),
  manualLastValue: bool({ initial: false, effect: "now", libzmq: "XPUB_MANUAL_LAST_VALUE" }),
  welcomeMessage: {
    initial: null,
    kind: "string",
    range: "text, bytes, null",
    unit: "",
    effect: "now",
    libzmq: "XPUB_WELCOME_MSG",
    check(_name, value) {
      if (value === null || typeof value === "string") return value;
      if (value instanceof Uint8Array) return new Uint8Array(value);
      throw new TypeError("Option value must be a string or buffer");
    },
  },
  onlyFirstSubscribe: bool({ initial: false, effect: "next", libzmq: "ONLY_FIRST_SUBSCRIBE" }),
};

export const XSUBSCRIBE_OPTIONS: OptionTable<XSubscribeOptions> = {
  verboseUnsubscribe: bool({ initial: false, effect: "now", libzmq: "XSUB_VERBOSE_UNSUBSCRIBE" }),
};

/** The values of a rule, or null, which is what it is at first. */
function orNull<T>(rule: OptionRule<T>): OptionRule<T | null> {
  return {
    ...rule,
    initial: null,
    range: `${rule.range}, null`,
    check: (name, value, warn) => (value === null ? null : rule.check(name, value, warn)),
  };
}
