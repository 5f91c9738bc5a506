import { ZmqError } from "../../errors.ts";
import { DecodeError } from "../errors.ts";
import { type JsonValue, SEND_ALL_TOPIC, type WireFields } from "./db-update.ts";
import { packFlatEvent, unpackFlatEvent } from "./flat-event.ts";
import { checkJsonValue, checkText } from "./json-value.ts";
import { MAX_ELEMENTS } from "./limits.ts";
import { decodeMsgpack, isRaw } from "./msgpack-decode.ts";
import { encodeAscii, encodeMsgpack } from "./msgpack-encode.ts";
import { jsonFault, pythonEvent } from "./python-json.ts";
import { isSequence, type Sequence } from "./sequence-counter.ts";

/**
 * - `json`: JSON text in a MessagePack string, Dragonflow's form until August 2016
 * - `map`: a MessagePack map, its form from then on; what peers of 2017 to 2019 need
 */
export type WireForm = "json" | "map";

/** An event as it was received. */
export interface UnpackedMessage extends WireFields {
  /** The form it came in. */
  readonly form: WireForm;
  /** Which of its publisher's events to this topic it is, where the publisher says so in the fields `pub` and `seq`. */
  readonly sequence?: Sequence;
}

/**
 * The payload of an event: MessagePack, byte for byte as Dragonflow writes it. `update` is not changed.
 *
 * @param update only its five wire fields are looked at.
 * @returns memory of its own.
 * @throws {TypeError} when a field is of the wrong kind, or the value holds what JSON cannot say.
 * @param sequence sent along, behind the five fields; null: nothing is.
 * @throws {ZmqError} EINVAL: lone surrogates, NaN and infinities, more than 16 levels or 1024 elements, an unknown form.
 */
export function packMessage(
  update: WireFields,
  form: WireForm = "json",
  sequence: Sequence | null = null,
): Buffer {
  const { table, key, action, value, topic } = update;
  const fields = { table, key, action, value, topic };
  const wrong = wrongField(fields);
  if (wrong !== null) throw new TypeError(`packMessage: ${wrong}`);
  if (form === "json") {
    const flat = packFlatEvent(fields, sequence);
    if (flat !== null) return flat;
  }
  if (table !== null) checkText(table);
  if (key !== null) checkText(key);
  checkText(action);
  checkJsonValue(value, 1, FIELDS.length);
  if (topic !== null) checkText(topic);
  if (form === "map") return encodeMsgpack(sequence === null ? fields : { ...fields, ...sequence });
  if (form === "json") return encodeAscii(pythonEvent(fields, sequence));
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
  const flat = unpackFlatEvent(bytes);
  if (flat !== null) {
    const { table, key, action, value, topic, sequence } = flat;
    if (sequence === undefined) return { table, key, action, value, topic, form: "json" };
    return { table, key, action, value, topic, form: "json", sequence };
  }
  const decoded = decodeMsgpack(bytes);
  const form = isRaw(bytes) ? "json" : "map";
  const event = form === "json" ? parseJson(decoded as string, bytes) : decoded;
  if (typeof event !== "object" || event === null || Array.isArray(event))
    throw new DecodeError("the event is no map", bytes);
  const wrong = wrongField(event as unknown as WireFields);
  if (wrong !== null) throw new DecodeError(wrong, bytes);
  const { table, key, action, value, topic, pub, seq } = event as unknown as WireFields & Sequence;
  const unpacked: UnpackedMessage = { table, key, action, value, topic, form };
  return isSequence(pub, seq) ? { ...unpacked, sequence: { pub, seq } } : unpacked;
}

/**
 * Whether an event only says which number its publisher's last event to this topic had: for who counts them, and nobody else.
 */
export function isAnnouncement({ table, action, sequence }: UnpackedMessage): boolean {
  return action === "log" && table === null && sequence !== undefined;
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
  const [frame, fields] = addressed(update, topic, form, transport);
  return [topicFrame(frame), packMessage(fields, form)];
}

/** The topic of the frame, and the fields of the payload: see {@link frames}. */
export function addressed(
  update: WireFields,
  topic: string | null | undefined,
  form: WireForm,
  transport: "zmq" | "redis",
): [frame: string, fields: WireFields] {
  if (topic !== undefined && topic !== null && typeof topic !== "string") {
    throw new TypeError("topic must be a string");
  }
  if (form === "map") return [topic ?? (update.topic || SEND_ALL_TOPIC), update];
  const { table, key, action } = update;
  const own = transport === "redis" ? (update.topic ?? SEND_ALL_TOPIC) : update.topic || SEND_ALL_TOPIC;
  const frame = topic || own;
  const value = transport === "zmq" && action !== "log" ? null : update.value;
  return [frame, { table, key, action, value, topic: frame }];
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

/** Characters: what a text no longer than this can make the parser build is little, so the limits can be looked at afterwards. */
const SHORT = 4096;

function parseJson(text: string, bytes: Uint8Array): JsonValue {
  if (text.length > SHORT) checkJson(text, bytes);
  let event: JsonValue;
  try {
    event = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new DecodeError("JSON: malformed", bytes, { cause });
  }
  if (text.length <= SHORT && !isFlat(event)) checkJson(text, bytes);
  return event;
}

function checkJson(text: string, bytes: Uint8Array): void {
  const fault = jsonFault(text);
  if (fault !== null) throw new DecodeError(`JSON: ${fault}`, bytes);
}

const FIELDS = ["table", "key", "action", "value", "topic"] as const;

/**
 * Whether there are only texts and nulls, as in nearly all events: what was parsed keeps all limits. Of a key that comes twice
 * only the last value is looked at: the others are gone, and nobody gets them.
 */
function isFlat(event: JsonValue): boolean {
  if (typeof event !== "object" || event === null) return false;
  const values = Object.values(event);
  return (
    values.length <= MAX_ELEMENTS && values.every((value) => value === null || typeof value === "string")
  );
}

/** What is wrong with the fields of an event, or null. */
function wrongField(event: WireFields): string | null {
  const { table, key, action, value, topic } = event;
  if (table !== null && typeof table !== "string") return fault(event, "table", "must be a string or null");
  if (key !== null && typeof key !== "string") return fault(event, "key", "must be a string or null");
  if (typeof action !== "string") return fault(event, "action", "must be a string");
  if (value === undefined) return fault(event, "value", "must be a JSON value");
  if (topic !== null && typeof topic !== "string") return fault(event, "topic", "must be a string or null");
  return null;
}

function fault(event: WireFields, name: (typeof FIELDS)[number], what: string): string {
  return event[name] === undefined ? `the field ${name} is missing` : `${name} ${what}`;
}
