/**
 * A subscription travels in one of two forms (RFC 37, "Commands"; RFC 29, "The Publish-Subscribe Pattern"):
 *
 *     to ZMTP 3.1: the command SUBSCRIBE or CANCEL, its data the topic
 *     to ZMTP 3.0: a message of one part, %x01 (subscribe) or %x00 (cancel) before the topic
 */
import { commandBody } from "./command.ts";

/**
 * `negotiated`: the form that the peer's version asks for. `message`: as a message whatever its version, which is how an XSUB of
 * libzmq sends on the subscriptions that its application sends as messages.
 */
export type SubscriptionForm = "negotiated" | "message";

export interface SubscriptionEvent {
  type: "subscription";
  subscribe: boolean;
  /** May be a view into a received chunk: copy it to keep it. */
  topic: Uint8Array;
}

export function subscriptionCommand(subscribe: boolean, topic: Uint8Array): Uint8Array {
  return commandBody(subscribe ? "SUBSCRIBE" : "CANCEL", topic);
}

export function subscriptionMessage(subscribe: boolean, topic: Uint8Array): Uint8Array {
  const part = new Uint8Array(1 + topic.length);
  part[0] = subscribe ? 1 : 0;
  part.set(topic, 1);
  return part;
}

/** The subscription in a part of a message to PUB or XPUB, or `null` when it is none. */
export function parseSubscription(part: Uint8Array): SubscriptionEvent | null {
  if (part.length === 0 || (part[0] as number) > 1) return null;
  return { type: "subscription", subscribe: part[0] === 1, topic: part.subarray(1) };
}
