/** The topic of what concerns everybody: the single byte 0x44 on the wire. */
export const SEND_ALL_TOPIC = "D";

/** What JSON can say. Integers beyond 2^53 - 1 cannot be told from floats and are sent as such. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The five fields that travel, in the order in which Dragonflow's `to_dict()` has them. */
export interface WireFields {
  /** The database table; null for events that concern none, such as `sync`. */
  readonly table: string | null;
  /** The id of the object. */
  readonly key: string | null;
  /** `create`, `set`, `delete`, `log`, `sync`...: any text is carried. */
  readonly action: string;
  /** The new object, usually as JSON text. */
  readonly value: JsonValue;
  readonly topic: string | null;
}

export interface DbUpdateOptions {
  readonly table: string | null;
  readonly key: string | null;
  readonly action: string;
  /** Default null. Kept by reference: do not change it before the event was sent. */
  readonly value?: JsonValue;
  /** Default {@link SEND_ALL_TOPIC}. */
  readonly topic?: string | null;
  /** When it happened; local, never sent. Default: now. */
  readonly timestamp?: Date;
}

/**
 * One change of the database, as Dragonflow's `DbUpdate`. Immutable; no driver changes one that it is given.
 *
 * @throws {TypeError} when a field is of the wrong kind.
 */
export class DbUpdate implements WireFields {
  readonly table: string | null;
  readonly key: string | null;
  readonly action: string;
  readonly value: JsonValue;
  readonly topic: string | null;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;

  constructor({ table, key, action, value = null, topic = SEND_ALL_TOPIC, timestamp }: DbUpdateOptions) {
    this.table = textOrNull("table", table);
    this.key = textOrNull("key", key);
    if (typeof action !== "string") throw new TypeError("DbUpdate: action must be a string");
    this.action = action;
    this.value = value;
    this.topic = textOrNull("topic", topic);
    this.timestamp = timestamp === undefined ? Date.now() : milliseconds(timestamp);
    Object.freeze(this);
  }

  /** The five fields that travel; `timestamp` does not. */
  toDict(): WireFields {
    const { table, key, action, value, topic } = this;
    return { table, key, action, value, topic };
  }

  /** For logs, spelled as the last Dragonflow does it. */
  toString(): string {
    const { table, key, action, value, topic, timestamp } = this;
    return (
      `Action:${action}, Table:${shown(table)}, Key:${shown(key)} Value:${shown(value)} Topic:${shown(topic)} ` +
      `Timestamp: ${shownTime(timestamp)}`
    );
  }
}

function textOrNull(field: string, value: unknown): string | null {
  if (value !== null && typeof value !== "string")
    throw new TypeError(`DbUpdate: ${field} must be a string or null`);
  return value;
}

function milliseconds(timestamp: unknown): number {
  if (!(timestamp instanceof Date) || Number.isNaN(timestamp.getTime())) {
    throw new TypeError("DbUpdate: timestamp must be a valid Date");
  }
  return timestamp.getTime();
}

/** Python's word for null; structured values as JSON. */
function shown(value: JsonValue): string {
  if (value === null) return "None";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** As Python prints a UTC datetime: six digits of a second, none when they are all zero. */
function shownTime(timestamp: number): string {
  const [date, time] = new Date(timestamp).toISOString().replace("Z", "").split("T");
  return `${date} ${time!.endsWith(".000") ? time!.slice(0, -4) : `${time}000`}`;
}
