import { bytesOf } from "./bytes.ts";

export type Hash = Map<string, Uint8Array>;

export interface Entry {
  readonly key: string;
  value: Uint8Array | Hash;
  /** ms on the store's clock; Infinity: never. */
  expires: number;
  /** Counted towards the memory limit. */
  size: number;
  /** Entries are scanned in the order in which their keys came. */
  readonly order: number;
  live: boolean;
}

/** What an entry, and a field of a hash, costs besides its bytes. */
const OVERHEAD = 64;

/** Memory of all databases of one store. */
export interface Usage {
  bytes: number;
}

/** One numbered database: keys with strings or hashes, in memory. Keys are text with one character per byte. */
export class Database {
  readonly #now: () => number;
  readonly #usage: Usage;
  readonly #entries = new Map<string, Entry>();
  readonly #expiring = new Set<Entry>();
  /** By `order`, with dead ones in between. */
  #ordered: Entry[] = [];
  #nextOrder = 1;

  constructor(now: () => number, usage: Usage) {
    this.#now = now;
    this.#usage = usage;
  }

  get size(): number {
    return this.#entries.size;
  }

  get expiring(): number {
    return this.#expiring.size;
  }

  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expires > this.#now()) return entry;
    this.delete(key);
    return undefined;
  }

  /** @param lifetime ms; Infinity: for ever. */
  set(key: string, value: Uint8Array | Hash, lifetime: number): Entry {
    const entry = this.get(key) ?? this.#add(key);
    entry.value = value;
    entry.expires = this.#now() + lifetime;
    if (lifetime === Number.POSITIVE_INFINITY) this.#expiring.delete(entry);
    else this.#expiring.add(entry);
    this.#resize(entry, key.length + sizeOf(value) + OVERHEAD);
    return entry;
  }

  /** @returns whether the field is new. */
  setField(entry: Entry, field: string, value: Uint8Array): boolean {
    const hash = entry.value as Hash;
    const old = hash.get(field);
    const before = old === undefined ? 0 : field.length + old.length + OVERHEAD;
    hash.set(field, value);
    this.#resize(entry, entry.size - before + field.length + value.length + OVERHEAD);
    return old === undefined;
  }

  deleteField(entry: Entry, field: string): boolean {
    const hash = entry.value as Hash;
    const old = hash.get(field);
    if (old === undefined) return false;
    hash.delete(field);
    this.#resize(entry, entry.size - field.length - old.length - OVERHEAD);
    return true;
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    const wasThere = entry.expires > this.#now();
    this.#entries.delete(key);
    this.#expiring.delete(entry);
    this.#resize(entry, 0);
    entry.live = false;
    entry.value = NOTHING;
    // Cheap over many deletions, and never more dead entries than live ones, save a few.
    if (this.#ordered.length > 2 * this.#entries.size + 16)
      this.#ordered = this.#ordered.filter((e) => e.live);
    return wasThere;
  }

  clear(): void {
    for (const entry of this.#entries.values()) this.#resize(entry, 0);
    this.#entries.clear();
    this.#expiring.clear();
    this.#ordered = [];
  }

  /** Frees what has expired and was not asked for since. */
  sweep(): void {
    for (const entry of this.#expiring) this.get(entry.key);
  }

  /**
   * The next entries in the order of their keys' coming. A key that is there all the time is met exactly once.
   * @param cursor 0 to begin, then what the call before returned.
   * @returns the cursor to go on with; 0: that was all.
   */
  scan(cursor: number, count: number, visit: (key: Uint8Array, entry: Entry) => void): number {
    const ordered = this.#ordered;
    const now = this.#now();
    let at = this.#firstFrom(cursor);
    for (let seen = 0; at < ordered.length && seen < count; at++) {
      const entry = ordered[at] as Entry;
      if (!entry.live || entry.expires <= now) continue;
      seen += 1;
      visit(bytesOf(entry.key), entry);
    }
    return ordered[at]?.order ?? 0;
  }

  #add(key: string): Entry {
    const order = this.#nextOrder++;
    const entry: Entry = {
      key,
      value: NOTHING,
      expires: Number.POSITIVE_INFINITY,
      size: 0,
      order,
      live: true,
    };
    this.#entries.set(key, entry);
    this.#ordered.push(entry);
    return entry;
  }

  #resize(entry: Entry, size: number): void {
    this.#usage.bytes += size - entry.size;
    entry.size = size;
  }

  /** The place of the first entry whose order is `cursor` or later. */
  #firstFrom(cursor: number): number {
    let low = 0;
    let high = this.#ordered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ordered[middle] as Entry).order < cursor) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NOTHING = new Uint8Array(0);

function sizeOf(value: Uint8Array | Hash): number {
  if (value instanceof Uint8Array) return value.length;
  let size = 0;
  for (const [field, bytes] of value) size += field.length + bytes.length + OVERHEAD;
  return size;
}

/** Numbered databases that share one memory limit. */
export class Store {
  readonly #databases: Database[] = [];
  readonly #usage: Usage = { bytes: 0 };
  readonly #maxBytes: number;

  constructor(databases: number, maxBytes: number, now: () => number) {
    this.#maxBytes = maxBytes;
    for (let n = 0; n < databases; n++) this.#databases.push(new Database(now, this.#usage));
  }

  get bytes(): number {
    return this.#usage.bytes;
  }

  get databases(): readonly Database[] {
    return this.#databases;
  }

  /** Whether so many bytes more would be too many, once all that has expired is gone. */
  isFull(bytes: number): boolean {
    if (this.#usage.bytes + bytes <= this.#maxBytes) return false;
    for (const database of this.#databases) database.sweep();
    return this.#usage.bytes + bytes > this.#maxBytes;
  }

  clear(): void {
    for (const database of this.#databases) database.clear();
  }
}
