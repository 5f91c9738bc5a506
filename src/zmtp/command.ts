/**
 * RFC 37, "Commands": the body of a command frame is
 *
 *     command = name-size name data      name-size: 1 octet, 1 to 255
 *     ERROR     = reason-size reason     reason-size: 1 octet
 *     SUBSCRIBE = topic
 *     CANCEL    = topic
 *     PING      = ttl context            ttl: 2 octets in network order, tenths of a second; context: 0 to 16 octets
 *     PONG      = context
 */
import { ProtocolError } from "../errors.ts";
import { COMMAND, encodeFrame } from "./frame.ts";
import { printable } from "./printable.ts";

const RULE = "RFC 37, Commands";
const NO_DATA = new Uint8Array(0);

/** The longest context of a PING: RFC 37, "Connection Heartbeating". */
export const MAX_CONTEXT = 16;

export interface Command {
  /** As spelled; octets that are no ASCII appear as Latin-1. Empty for a command without a name. */
  name: string;
  /** What follows the name: a view into the frame's body. */
  data: Uint8Array;
}

/** The body of a command frame. @param name 1 to 255 ASCII characters. */
export function commandBody(name: string, data: Uint8Array = NO_DATA): Uint8Array {
  const body = new Uint8Array(1 + name.length + data.length);
  body[0] = name.length;
  for (let i = 0; i < name.length; i++) body[1 + i] = name.charCodeAt(i);
  body.set(data, 1 + name.length);
  return body;
}

/** A whole command frame as it goes over the wire. @param name 1 to 255 ASCII characters. */
export function encodeCommand(name: string, data: Uint8Array = NO_DATA): Uint8Array {
  return encodeFrame(COMMAND, commandBody(name, data));
}

/** @throws {ProtocolError} `ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED` when the name is longer than the body. */
export function parseCommand(body: Uint8Array): Command {
  if (body.length === 0) return { name: "", data: body };
  const end = 1 + (body[0] as number);
  if (end > body.length) throw malformed("a command name runs past the end of its frame");
  let name = "";
  for (let i = 1; i < end; i++) name += String.fromCharCode(body[i] as number);
  return { name, data: body.subarray(end) };
}

/** The body of an ERROR. @param reason ASCII; cut after 255 characters. */
export function errorBody(reason: string): Uint8Array {
  const text = reason.slice(0, 255);
  return commandBody("ERROR", commandBody(text));
}

/**
 * The reason in the data of an ERROR as printable ASCII, the rest escaped as `\xNN`. What follows the reason is ignored.
 *
 * @throws {ProtocolError} `ERR_ZMTP_MALFORMED_COMMAND_ERROR` when the reason is longer than the data, or its size is missing.
 */
export function parseErrorReason(data: Uint8Array): string {
  const end = 1 + (data[0] ?? data.length);
  if (end > data.length) {
    const message = "an ERROR whose reason runs past its end";
    throw new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_ERROR", RULE, message);
  }
  return printable(data.subarray(1, end));
}

export interface Ping {
  /** Milliseconds of silence after which the sender wants to be taken for dead; 0: never. */
  timeToLive: number;
  /** What the PONG carries back, cut to 16 bytes: a view into the frame's body. */
  context: Uint8Array;
}

/** @param timeToLive ms, sent in tenths of a second, rounded down. */
export function pingBody(timeToLive: number, context: Uint8Array): Uint8Array {
  const data = new Uint8Array(2 + context.length);
  const tenths = Math.floor(timeToLive / 100);
  data[0] = tenths >> 8;
  data[1] = tenths & 255;
  data.set(context, 2);
  return commandBody("PING", data);
}

/** @throws {ProtocolError} `ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED` for a PING without a whole TTL. */
export function parsePing(data: Uint8Array): Ping {
  if (data.length < 2) throw malformed("a PING without a TTL");
  const tenths = (data[0] as number) * 256 + (data[1] as number);
  return { timeToLive: tenths * 100, context: data.subarray(2, 2 + MAX_CONTEXT) };
}

function malformed(message: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED", RULE, message);
}
