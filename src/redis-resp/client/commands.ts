import { ZmqError } from "../../errors.ts";
import { checkNames } from "../connection/options.ts";
import type { Argument } from "../protocol/encoder.ts";
import type { RespValue, TextValue } from "../protocol/values.ts";
import { asText } from "../protocol/values.ts";
import type { CallOptions } from "./call.ts";
import * as replies from "./replies.ts";

/** `text`: bulk strings come as text (UTF-8), not as bytes. */
export interface ReadOptions extends CallOptions {
  text?: boolean;
}

/** A bulk string as it was asked for. */
export type Bulk<Options> = Options extends { text: true } ? string : Buffer;

export interface SetOptions extends CallOptions {
  /** Only if the key is not there. */
  nx?: boolean;
  /** Only if it is. */
  xx?: boolean;
  /** Seconds until it is gone. */
  ex?: number;
  /** The same in ms. */
  px?: number;
}

export interface ScanOptions extends ReadOptions {
  /** Keys that fit this glob. */
  match?: string;
  /** Keys to look at, about. */
  count?: number;
  /** `string`, `hash`... */
  type?: string;
}

/**
 * The commands that publishers and stores need, as methods. Keys, fields and values: text (UTF-8), bytes, or a number. Bytes must
 * not be changed until the promise settles.
 *
 * All reject with a {@link ReplyError} when the server says no; with code EUNKNOWN when the command was sent and the connection
 * ended before the reply; ECONNRESET and the like when it ended before the command was sent; ENOBUFS when too many wait; EBADF
 * after `close`; EPROTO for a reply of another kind. They throw a TypeError for what is no argument; EINVAL for an option that SET
 * or SCAN has not.
 */
export abstract class RedisCommands {
  /** @param read what the reply means. It may throw. */
  protected abstract send<T>(
    args: readonly Argument[],
    read: (reply: RespValue) => T,
    options?: CallOptions,
  ): Promise<T>;

  /**
   * Any command; what does not fit the methods below. An object at the end are options.
   *
   * @throws {ZmqError} EINVAL for one that would change what follows on the connection: SUBSCRIBE and its like have a type of
   * their own, SELECT is the option `db`; MONITOR, SYNC, PSYNC, RESET and CLIENT REPLY are not to be had.
   */
  command(...args: Argument[]): Promise<RespValue>;
  command(...args: [...Argument[], ReadOptions & { text: true }]): Promise<TextValue>;
  command(...args: [...Argument[], ReadOptions]): Promise<RespValue>;
  command(...given: (Argument | ReadOptions)[]): Promise<RespValue | TextValue> {
    const { args, options } = splitOptions(given);
    refuseUnfit(args);
    return this.send<RespValue | TextValue>(args, options.text ? asText : replies.any, options);
  }

  /** @returns to how many subscribers of this server it went: in a cluster others may have it too. */
  publish(channel: Argument, payload: Argument, options?: CallOptions): Promise<number> {
    return this.send(["PUBLISH", channel, payload], replies.integer, options);
  }

  /** Publishes to a channel of its shard. @returns to how many subscribers of this server it went. */
  spublish(channel: Argument, payload: Argument, options?: CallOptions): Promise<number> {
    return this.send(["SPUBLISH", channel, payload], replies.integer, options);
  }

  get<O extends ReadOptions = ReadOptions>(key: Argument, options?: O): Promise<Bulk<O> | null> {
    return this.send(["GET", key], replies.bulkOrNull<O>(options), options);
  }

  /** @returns false: not set, because of `nx` or `xx`. */
  set(key: Argument, value: Argument, options: SetOptions = {}): Promise<boolean> {
    checkNames(options, SET_OPTIONS);
    const args: Argument[] = ["SET", key, value];
    if (options.nx) args.push("NX");
    if (options.xx) args.push("XX");
    if (options.ex !== undefined) args.push("EX", options.ex);
    if (options.px !== undefined) args.push("PX", options.px);
    return this.send(args, replies.okOrNull, options);
  }

  /** @returns how many there were. */
  del(keys: Argument | readonly Argument[], options?: CallOptions): Promise<number> {
    return this.send(["DEL", ...several(keys)], replies.integer, options);
  }

  /** @returns how many of them are there. */
  exists(keys: Argument | readonly Argument[], options?: CallOptions): Promise<number> {
    return this.send(["EXISTS", ...several(keys)], replies.integer, options);
  }

  incr(key: Argument, options?: CallOptions): Promise<number | bigint> {
    return this.send(["INCR", key], replies.wholeNumber, options);
  }

  /** @param fields names with their values. @returns how many of them are new. */
  hset(
    key: Argument,
    fields: Readonly<Record<string, Argument>> | ReadonlyMap<Argument, Argument>,
    options?: CallOptions,
  ): Promise<number> {
    return this.send(["HSET", key, ...pairsOf(fields)], replies.integer, options);
  }

  hget<O extends ReadOptions = ReadOptions>(
    key: Argument,
    field: Argument,
    options?: O,
  ): Promise<Bulk<O> | null> {
    return this.send(["HGET", key, field], replies.bulkOrNull<O>(options), options);
  }

  /** @returns how many there were. */
  hdel(key: Argument, fields: Argument | readonly Argument[], options?: CallOptions): Promise<number> {
    return this.send(["HDEL", key, ...several(fields)], replies.integer, options);
  }

  hkeys<O extends ReadOptions = ReadOptions>(key: Argument, options?: O): Promise<Bulk<O>[]> {
    return this.send(["HKEYS", key], replies.bulks<O>(options), options);
  }

  /** @returns values by field; the fields as text, always. */
  hgetall<O extends ReadOptions = ReadOptions>(key: Argument, options?: O): Promise<Map<string, Bulk<O>>> {
    return this.send(["HGETALL", key], replies.fields<O>(options), options);
  }

  /** One step through the keys. @param cursor "0" at first, then what the step before gave; "0" again: that was the last. */
  scan<O extends ScanOptions = ScanOptions>(
    cursor: string,
    options?: O,
  ): Promise<{ cursor: string; keys: Bulk<O>[] }> {
    const { match, count, type } = options ?? {};
    checkNames(options ?? {}, SCAN_OPTIONS);
    const args: Argument[] = ["SCAN", cursor];
    if (match !== undefined) args.push("MATCH", match);
    if (count !== undefined) args.push("COUNT", count);
    if (type !== undefined) args.push("TYPE", type);
    return this.send(args, replies.scanned<O>(options), options);
  }

  ping(options?: CallOptions): Promise<string> {
    return this.send(["PING"], replies.text, options);
  }

  info(section?: string, options?: CallOptions): Promise<string> {
    return this.send(section === undefined ? ["INFO"] : ["INFO", section], replies.text, options);
  }

  /** `CLUSTER SHARDS`, `CLUSTER NODES`... */
  cluster(subcommand: string, ...args: Argument[]): Promise<RespValue> {
    return this.send(["CLUSTER", subcommand, ...args], replies.any);
  }
}

const SET_OPTIONS = ["nx", "xx", "ex", "px", "signal"];
const SCAN_OPTIONS = ["match", "count", "type", "text", "signal"];

function pairsOf(fields: Readonly<Record<string, Argument>> | ReadonlyMap<Argument, Argument>): Argument[] {
  if (fields instanceof Map) return [...fields].flat();
  if (typeof fields !== "object" || fields === null || Symbol.iterator in fields) {
    throw new TypeError("fields must be an object or a Map");
  }
  return Object.entries(fields).flat();
}

function several(given: Argument | readonly Argument[]): readonly Argument[] {
  return Array.isArray(given) ? given : [given as Argument];
}

function splitOptions(given: readonly (Argument | ReadOptions)[]): {
  args: readonly Argument[];
  options: ReadOptions;
} {
  const last = given.at(-1);
  return isOptions(last)
    ? { args: given.slice(0, -1) as Argument[], options: last }
    : { args: given as Argument[], options: {} };
}

function isOptions(last: unknown): last is ReadOptions {
  return typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
}

/** Their answers are no replies, go on without end, or are left out; or what they set is lost with the connection. */
const UNFIT = new Set([
  "SUBSCRIBE",
  "PSUBSCRIBE",
  "SSUBSCRIBE",
  "UNSUBSCRIBE",
  "PUNSUBSCRIBE",
  "SUNSUBSCRIBE",
  "MONITOR",
  "SYNC",
  "PSYNC",
  "SELECT",
  "RESET",
  "CLIENT REPLY",
]);

function refuseUnfit([first, second]: readonly Argument[]): void {
  const command = asWord(first);
  const name = command === "CLIENT" ? `CLIENT ${asWord(second)}` : command;
  if (UNFIT.has(name)) throw new ZmqError("EINVAL", `${name} is not for a connection that others use too`);
}

function asWord(argument: Argument | undefined): string {
  const text = argument instanceof Uint8Array ? asText(argument) : argument;
  return String(text).toUpperCase();
}
