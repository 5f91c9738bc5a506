import { COPY_LIMIT, OutgoingMessage } from "./message.ts";
import type { SubscriptionForm } from "./subscription.ts";
import type { Traffic } from "./traffic.ts";

type Item =
  | { type: "message"; message: OutgoingMessage | readonly Uint8Array[] }
  | { type: "subscription"; subscribe: boolean; topic: Uint8Array; form: SubscriptionForm }
  | { type: "ping"; context: Uint8Array };

/**
 * What was given to the connection before the peer's READY had come (RFC 37, "The NULL Security Mechanism"), in order. Takes what
 * traffic takes. Bytes that are the caller's again after the call are copied.
 */
export class Held implements Pick<Traffic, "send" | "subscription" | "ping"> {
  #items: Item[] = [];
  #isClosed = false;

  /** Small parts are copied, as they are when they need not wait. */
  send(message: OutgoingMessage | readonly Uint8Array[]): void {
    const isEncoded = message instanceof OutgoingMessage;
    this.#add({ type: "message", message: isEncoded ? message : message.map(copySmall) });
  }

  subscription(subscribe: boolean, topic: Uint8Array, form: SubscriptionForm): void {
    this.#add({ type: "subscription", subscribe, topic: new Uint8Array(topic), form });
  }

  ping(context: Uint8Array): void {
    this.#add({ type: "ping", context: new Uint8Array(context) });
  }

  /** Hands everything on. */
  release(traffic: Traffic): void {
    for (const item of this.#items) {
      if (item.type === "message") traffic.send(item.message);
      else if (item.type === "ping") traffic.ping(item.context);
      else traffic.subscription(item.subscribe, item.topic, item.form);
    }
    this.#items = [];
  }

  /** Drops everything, and takes no more. */
  close(): void {
    this.#isClosed = true;
    this.#items = [];
  }

  #add(item: Item): void {
    if (!this.#isClosed) this.#items.push(item);
  }
}

function copySmall(part: Uint8Array): Uint8Array {
  return part.length > COPY_LIMIT ? part : new Uint8Array(part);
}
