/**
 * `zmtp/protocol`: ZeroMQ's wire protocol without I/O. Bytes in, events out, bytes out; it owns no socket, timer or clock.
 *
 * Speaks ZMTP 3.1 and 3.0 (RFC 37, RFC 23) with the NULL mechanism.
 */
export { ProtocolError, type ProtocolErrorCode, RefusedError, ZmqError } from "../errors.ts";
export type { Allocate, View } from "./byte-queue.ts";
export { type Command, encodeCommand, parseCommand } from "./command.ts";
export { Connection } from "./connection.ts";
export type { Event } from "./event.ts";
export {
  COMMAND,
  encodeFrame,
  encodeMessage,
  Frame,
  FrameDecoder,
  type FrameLimits,
  LONG,
  MORE,
  PART_OVERHEAD,
} from "./frame.ts";
export { encodeGreeting, type Greeting, parseGreeting } from "./greeting.ts";
export type { Handshake, Mechanism } from "./mechanism.ts";
export { COPY_LIMIT, OutgoingMessage } from "./message.ts";
export { encodeMetadata, type Property, parseMetadata } from "./metadata.ts";
export { NullMechanism } from "./null-mechanism.ts";
export type { ConnectionOptions } from "./options.ts";
export { OutputQueue } from "./output.ts";
export type { PeerInfo } from "./peer-info.ts";
export { isCompatible, isSocketType, type SocketType } from "./socket-type.ts";
export type { Stage } from "./stage.ts";
export type { SubscriptionForm } from "./subscription.ts";
