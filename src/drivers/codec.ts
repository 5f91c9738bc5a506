import { ZmqError } from "../errors.ts";
import { type JsonValue, SEND_ALL_TOPIC, type WireFields } from "./db-update.ts";
import { DecodeError } from "./errors.ts";
import { checkJsonValue, checkText } from "./json-value.ts";
import { decodeMsgpack, isRaw } from "./msgpack-decode.ts";
import { encodeMsgpack, encodeRaw } from "./msgpack-encode.ts";
import { jsonFault, pythonJson } from "./python-json.ts";

/**
 * - `json`: JSON text in a MessagePack string, Dragonflow's form until August 2016
 * - `map`: a MessagePack map, its form from then on; what peers of 2017 to 2019 need
 */
export type WireForm = "json" | "map";

/** An event as it was received. */
export interface UnpackedMessage extends WireFields {
  /** The form it came in. */
  readonly form: WireForm;
}

/**
 * The payload of an event: MessagePack, byte for byte as Dragonflow writes it. `update` is not changed.
 *
 * @param update only its five wire fields are looked at.
 * @returns memory of its own.
 * @throws {TypeError} when a field is of the wrong kind, or the value holds what JSON cannot say.
 * @throws {ZmqError} EINVAL: lone surrogates, NaN and infinities, more than 16 levels or 1024 elements, an unknown form.
 */
export function packMessage(update: WireFields, form: WireForm = "json"): Buffer {
  const { table, key, action, value, topic } = update;
  const fields = { table, key, action, value, topic };
  const wrong = wrongField(fields);
  if (wrong !== null) throw new TypeError(`packMessage: ${wrong}`);
  checkJsonValue(fields);
  if (form === "map") return encodeMsgpack(fields);
  if (form === "json") return encodeRaw(pythonJson(fields), "latin1");
  throw new ZmqError("EINVAL", `unknown wire form: ${String(form)}`);
}

/**
 * Reads a payload in either form, told apart by the MessagePack type at the top: a string is JSON text, a map is the event.
 * Fields in any order; unknown ones are ignored. The topic is the payload's own, which may differ from the topic frame.
 *
 * Numbers inside a structured value that JavaScript cannot hold exactly (integers beyond 2^53 - 1, infinities) are refused
 * rather than rounded: the receiver's copy would silently differ from the database. Inside JSON text carried as a string, as
 * Dragonflow does it, they are text and pass untouched.
 *
 * @throws {DecodeError} and nothing else, whatever the bytes.
 */
export function unpackMessage(bytes: Uint8Array): UnpackedMessage {
  const decoded = decodeMsgpack(bytes);
  const form = isRaw(bytes) ? "json" : "map";
  const event = form === "json" ? parseJson(decoded as string, bytes) : decoded;
  const wrong = wrongField(event);
  if (wrong !== null) throw new DecodeError(wrong, bytes);
  const { table, key, action, value, topic } = event as unknown as WireFields;
  return { table, key, action, value, topic, form };
}

/**
 * The two frames of an event: topic and payload, as the publishers of the era of `form` send them.
 *
 * The topic frame is the argument if there is one, else the update's topic, else {@link SEND_ALL_TOPIC}. In the `json` form
 * the payload says the same topic as the frame and an empty argument counts as none; in the `map` form the payload keeps the
 * update's own topic, null included, and an empty argument is sent as the empty topic.
 *
 * @param topic overrides `update.topic`; null or undefined is no argument.
 * @param transport on `zmq` the `json` form sends the value as null unless the action is `log` (receivers read it from the
 *   database); `redis` always sends it, and knows an empty channel.
 * @throws as {@link packMessage}; {@link ZmqError} EINVAL for a topic with a lone surrogate.
 */
export function frames(
  update: WireFields,
  topic: string | null | undefined,
  form: WireForm = "json",
  transport: "zmq" | "redis" = "zmq",
): [topic: Buffer, payload: Buffer] {
  if (topic !== undefined && topic !== null && typeof topic !== "string") {
    throw new TypeError("topic must be a string");
  }
  const { table, key, action } = update;
  if (form === "map") {
    const frame = topic ?? (update.topic || SEND_ALL_TOPIC);
    return [topicFrame(frame), packMessage(update, form)];
  }
  const own = transport === "redis" ? (update.topic ?? SEND_ALL_TOPIC) : update.topic || SEND_ALL_TOPIC;
  const frame = topic || own;
  const value = transport === "zmq" && action !== "log" ? null : update.value;
  return [topicFrame(frame), packMessage({ table, key, action, value, topic: frame }, form)];
}

/**
 * A topic as its frame or channel: UTF-8.
 *
 * @throws {TypeError} when it is no string. {@link ZmqError} EINVAL when it has a lone surrogate.
 */
export function topicFrame(topic: string): Buffer {
  if (typeof topic !== "string") throw new TypeError("topic must be a string");
  checkText(topic);
  return Buffer.from(topic);
}

function parseJson(text: string, bytes: Uint8Array): JsonValue {
  const fault = jsonFault(text);
  if (fault !== null) throw new DecodeError(`JSON: ${fault}`, bytes);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DecodeError("JSON: malformed", bytes, { cause });
  }
}

const FIELDS = ["table", "key", "action", "value", "topic"] as const;

/** What is wrong with the fields of an event, or null. */
function wrongField(event: unknown): string | null {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return "the event is no map";
  const fields = event as Record<string, unknown>;
  for (const name of FIELDS) if (!Object.hasOwn(fields, name)) return `the field ${name} is missing`;
  const { table, key, action, topic } = fields;
  if (table !== null && typeof table !== "string") return "table must be a string or null";
  if (key !== null && typeof key !== "string") return "key must be a string or null";
  if (topic !== null && typeof topic !== "string") return "topic must be a string or null";
  return typeof action === "string" ? null : "action must be a string";
}
