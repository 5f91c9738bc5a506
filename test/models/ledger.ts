import type { Link } from "./link.ts";

/** A message that was given to a socket, and what became of it. */
export interface Entry {
  readonly id: number;
  readonly sender: object;
  readonly parts: readonly Buffer[];
  /** What the call said: it has not settled yet, the message was taken, nothing was taken. */
  state: "pending" | "taken" | "refused";
  /** The connection that it was last written to. */
  link: Link | null;
  /** How many applications have got it. */
  received: number;
}

/** Every message of a run, by number. A message says its topic and its number; the rest follows from the number. */
export class Ledger {
  readonly entries: Entry[] = [];

  make(sender: object, topic: string, size: number, more: number): Entry {
    const id = this.entries.length;
    const parts = [Buffer.from(`${topic}#${id}`, "latin1")];
    for (let i = 0; i < more; i += 1) parts.push(Buffer.alloc(i === 0 ? size : i, (id + i) & 255));
    const entry: Entry = { id, sender, parts, state: "pending", link: null, received: 0 };
    this.entries.push(entry);
    return entry;
  }

  /** The entry of a message that was written or received; a text that says what is wrong with it instead. */
  find(parts: readonly Uint8Array[]): Entry | string {
    const first = Buffer.from(parts[0] as Uint8Array).toString("latin1");
    const entry = this.entries[Number(/#(\d+)$/.exec(first)?.[1] ?? -1)];
    if (entry === undefined) return `a message that nobody sent: ${first}`;
    const isWhole =
      parts.length === entry.parts.length &&
      entry.parts.every((part, i) => part.equals(parts[i] as Uint8Array));
    return isWhole ? entry : `message ${entry.id} is not as it was sent`;
  }
}

/** Whether a message with this first part is wanted by someone with these topics. */
export function matches(topics: Iterable<string>, firstPart: Buffer): boolean {
  const text = firstPart.toString("latin1");
  for (const topic of topics) if (text.startsWith(topic)) return true;
  return false;
}
