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
  /** It was taken in the call itself. */
  isDealt: boolean;
  /** How many applications have got it. */
  received: number;
}

/** What bodies are cut from: at each place another byte than at the next ones. */
const BYTES = Buffer.from(Array.from({ length: 70_256 }, (_, i) => i & 255));

/** Every message of a run, by number. A message says its topic and its number; the rest follows from the number. */
export class Ledger {
  readonly entries: Entry[] = [];

  make(sender: object, topic: string, size: number, more: number): Entry {
    const id = this.entries.length;
    const parts = [Buffer.from(`${topic}#${id}`, "latin1")];
    for (let i = 0; i < more; i += 1) {
      const from = (id + i) & 255;
      parts.push(BYTES.subarray(from, from + (i === 0 ? size : i)));
    }
    const entry: Entry = { id, sender, parts, state: "pending", link: null, isDealt: false, received: 0 };
    this.entries.push(entry);
    return entry;
  }

  /** The entry of a message that was written or received; a text that says what is wrong with it instead. */
  find(parts: readonly Uint8Array[]): Entry | string {
    const entry = this.entries[numberOf(parts[0] as Uint8Array)];
    if (entry === undefined) return `a message that nobody sent: ${String(parts[0])}`;
    const isWhole =
      parts.length === entry.parts.length &&
      entry.parts.every((part, i) => part.equals(parts[i] as Uint8Array));
    return isWhole ? entry : `message ${entry.id} is not as it was sent`;
  }
}

/** The digits at the end, behind `#`; -1 where there are none. */
function numberOf(part: Uint8Array): number {
  let [at, number] = [part.length - 1, 0];
  for (let factor = 1; at >= 0; at -= 1, factor *= 10) {
    const digit = (part[at] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    number += digit * factor;
  }
  return part[at] === 0x23 && at < part.length - 1 ? number : -1;
}

/** Whether a message with this first part is wanted by someone with these topics. */
export function matches(topics: Iterable<string>, firstPart: Buffer): boolean {
  const text = firstPart.toString("latin1");
  for (const topic of topics) if (text.startsWith(topic)) return true;
  return false;
}
