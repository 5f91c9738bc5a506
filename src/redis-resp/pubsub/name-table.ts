import type { Subscription } from "./subscription.ts";

type Slots = (Subscription | null)[];

const FEWEST = 16;

/**
 * Subscriptions by the bytes of their names. A Map would need a string of the bytes of each message's channel, which costs more than
 * all else that is done with the message.
 *
 * Open addressing: a subscription stands in the slot of its name's hash, or in the next free one. At most half of the slots are taken.
 */
export class NameTable {
  #slots: Slots = newSlots(FEWEST);
  #size = 0;
  /** What was found last: messages of one channel often come in a row. */
  #last: Subscription | null = null;

  /** One that is not there yet. */
  add(subscription: Subscription): void {
    this.#size += 1;
    if (2 * this.#size > this.#slots.length) this.#grow();
    put(this.#slots, subscription);
  }

  delete(subscription: Subscription): void {
    const slots = this.#slots;
    const last = slots.length - 1;
    let free = hashOfKey(subscription.key) & last;
    while (slots[free] !== subscription) {
      if (slots[free] === null) return;
      free = (free + 1) & last;
    }
    this.#size -= 1;
    this.#last = null;
    slots[free] = null;
    // Those behind it may stand there only because it was in their way.
    for (let at = (free + 1) & last; slots[at] !== null; at = (at + 1) & last) {
      const moved = slots[at] as Subscription;
      slots[at] = null;
      put(slots, moved);
    }
  }

  find(name: Uint8Array): Subscription | undefined {
    if (this.#last !== null && isKey(this.#last.key, name)) return this.#last;
    const slots = this.#slots;
    const last = slots.length - 1;
    let at = hashOfBytes(name) & last;
    for (;;) {
      const subscription = slots[at] as Subscription | null;
      if (subscription === null) return undefined;
      if (isKey(subscription.key, name)) {
        this.#last = subscription;
        return subscription;
      }
      at = (at + 1) & last;
    }
  }

  clear(): void {
    this.#slots = newSlots(FEWEST);
    this.#size = 0;
    this.#last = null;
  }

  #grow(): void {
    const slots = newSlots(2 * this.#slots.length);
    for (const subscription of this.#slots) if (subscription !== null) put(slots, subscription);
    this.#slots = slots;
  }
}

function newSlots(length: number): Slots {
  return new Array<Subscription | null>(length).fill(null);
}

function put(slots: Slots, subscription: Subscription): void {
  const last = slots.length - 1;
  let at = hashOfKey(subscription.key) & last;
  while (slots[at] !== null) at = (at + 1) & last;
  slots[at] = subscription;
}

/** FNV-1a, whose lower bits alone are good enough. */
function hashOfBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function hashOfKey(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Names that differ often do so at their end. */
function isKey(key: string, bytes: Uint8Array): boolean {
  if (key.length !== bytes.length) return false;
  for (let i = bytes.length - 1; i >= 0; i -= 1) if (key.charCodeAt(i) !== bytes[i]) return false;
  return true;
}
