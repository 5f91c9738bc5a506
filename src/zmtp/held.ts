import { COPY_LIMIT, OutgoingMessage } from "./message.ts";
import type { SubscriptionForm } from "./subscription.ts";

/** What was given to the connection before the peer's READY had come (RFC 37, "The NULL Security Mechanism"). */
export type Held =
  | { type: "message"; message: OutgoingMessage | readonly Uint8Array[] }
  | { type: "subscription"; subscribe: boolean; topic: Uint8Array; form: SubscriptionForm }
  | { type: "ping"; context: Uint8Array };

/** Small parts are copied at the call, as they are when they need not wait. */
export function holdMessage(message: OutgoingMessage | readonly Uint8Array[]): Held {
  if (message instanceof OutgoingMessage) return { type: "message", message };
  const parts = message.map((part) => (part.length > COPY_LIMIT ? part : new Uint8Array(part)));
  return { type: "message", message: parts };
}
