import { ZmqError } from "../errors.ts";
import { type Allocate, allocateUint8Array, type View, viewUint8Array } from "./byte-queue.ts";
import type { Mechanism } from "./mechanism.ts";
import { encodeMetadata, type Property } from "./metadata.ts";
import { NullMechanism } from "./null-mechanism.ts";
import { isSocketType, type SocketType, sendsIdentity } from "./socket-type.ts";

/** The largest handshake command, in bytes; `maxMessageSize` does not apply to those. */
export const MAX_HANDSHAKE_SIZE = 8192;

/** Ours leaves room for what a mechanism puts around it. */
const MAX_METADATA_SIZE = MAX_HANDSHAKE_SIZE - 512;

/** 65535 tenths of a second. */
const MAX_TIME_TO_LIVE = 6_553_599;

export interface ConnectionOptions {
  /** Ours. */
  socketType: SocketType;
  /** ms, in the clock that `tick` will be given. The handshake timer starts here. */
  now: number;
  /** Default: a new NullMechanism. Not to be shared between connections. */
  mechanism?: Mechanism;
  /** Our Identity, up to 255 bytes; only REQ, DEALER and ROUTER send it. Default: empty. */
  routingId?: Uint8Array;
  /** Properties of our own for the handshake; names begin with `X-`, strings are sent as UTF-8. */
  metadata?: Readonly<Record<string, Uint8Array | string>>;
  /** Largest frame accepted after the handshake, in bytes; -1 (default): no limit (ZMQ_MAXMSGSIZE). */
  maxMessageSize?: number;
  /** Largest message accepted, the sum over its parts of size + 64. Default: Infinity. */
  maxMessageBytes?: number;
  /**
   * On PUB and XPUB, bytes that a topic may have, asked for again when a frame comes: a longer command, and at a PUB a longer part of a
   * message, ends the connection when its header has come. To the mechanism NULL only. Default: no limit.
   */
  maxTopicSize?: () => number;
  /** Parts that a message may have, at least 1. Each takes some hundred bytes of memory besides its own. Default: Infinity. */
  maxMessageParts?: number;
  /** ms until the handshake must be complete; 0: no limit. Default 30000 (ZMQ_HANDSHAKE_IVL). */
  handshakeInterval?: number;
  /** ms between two PINGs; 0 (default): none (ZMQ_HEARTBEAT_IVL). */
  heartbeatInterval?: number;
  /** ms of silence after a PING that end the connection; -1 (default): as the interval; 0: never (ZMQ_HEARTBEAT_TIMEOUT). */
  heartbeatTimeout?: number;
  /** ms of silence after which the peer shall take us for dead, in steps of 100, up to 6553599; 0 (default): never. */
  heartbeatTimeToLive?: number;
  /** Whom to send PINGs: `all` (default, as libzmq), or those `able` to answer: ZMTP 3.1, or has sent a PING itself. */
  heartbeatPeers?: "all" | "able";
  /** On PUB and XPUB, a message that does not begin with a subscription has none (ZMQ_ONLY_FIRST_SUBSCRIBE). Default false. */
  onlyFirstSubscribe?: boolean;
  /** Where memory comes from that received bodies are copied to and sent bytes are joined in. Default: `new Uint8Array`. */
  allocate?: Allocate;
  /** How a part of a received chunk is shown. Default: as a `Uint8Array`. */
  view?: View;
}

export interface ResolvedOptions {
  readonly socketType: SocketType;
  readonly mechanism: Mechanism;
  /** Our metadata, encoded. */
  readonly metadata: Uint8Array;
  /** Infinity: no limit. */
  readonly maxMessageSize: number;
  readonly maxMessageBytes: number;
  readonly maxMessageParts: number;
  readonly maxTopicSize: (() => number) | undefined;
  readonly handshakeInterval: number;
  readonly heartbeatInterval: number;
  readonly heartbeatTimeout: number;
  readonly heartbeatTimeToLive: number;
  readonly heartbeatPeers: "all" | "able";
  readonly onlyFirstSubscribe: boolean;
  readonly allocate: Allocate;
  readonly view: View;
}

/** @throws {ZmqError} EINVAL for a value out of range. @throws {TypeError} for one of the wrong kind. */
export function resolveOptions(given: ConnectionOptions): ResolvedOptions {
  if (!isSocketType(given.socketType)) {
    throw new ZmqError("EINVAL", `Unknown socket type: ${String(given.socketType)}`);
  }
  if (typeof given.now !== "number") throw new TypeError("now must be a number");
  if (!Number.isFinite(given.now)) throw new ZmqError("EINVAL", `now must be finite, not ${given.now}`);
  const heartbeatInterval = integer("heartbeatInterval", given.heartbeatInterval ?? 0, 0);
  const heartbeatTimeout = integer("heartbeatTimeout", given.heartbeatTimeout ?? -1, -1);
  const maxMessageSize = integer("maxMessageSize", given.maxMessageSize ?? -1, -1);
  return {
    socketType: given.socketType,
    mechanism: given.mechanism ?? new NullMechanism(),
    metadata: ownMetadata(given),
    maxMessageSize: maxMessageSize === -1 ? Number.POSITIVE_INFINITY : maxMessageSize,
    maxMessageBytes: limit("maxMessageBytes", given.maxMessageBytes, 0),
    maxTopicSize: functionOrNone("maxTopicSize", given.maxTopicSize),
    maxMessageParts: limit("maxMessageParts", given.maxMessageParts, 1),
    handshakeInterval: integer("handshakeInterval", given.handshakeInterval ?? 30_000, 0),
    heartbeatInterval,
    heartbeatTimeout: heartbeatTimeout === -1 ? heartbeatInterval : heartbeatTimeout,
    heartbeatTimeToLive: integer("heartbeatTimeToLive", given.heartbeatTimeToLive ?? 0, 0, MAX_TIME_TO_LIVE),
    heartbeatPeers: heartbeatPeers(given.heartbeatPeers ?? "all"),
    onlyFirstSubscribe: boolean("onlyFirstSubscribe", given.onlyFirstSubscribe ?? false),
    allocate: given.allocate ?? allocateUint8Array,
    view: given.view ?? viewUint8Array,
  };
}

/** By socket type, what those without properties of their own send: encoded once, not for each connection. */
const PLAIN_METADATA = new Map<SocketType, Uint8Array>();

function ownMetadata(given: ConnectionOptions): Uint8Array {
  if (given.metadata !== undefined || given.routingId !== undefined) return encodeOwnMetadata(given);
  let metadata = PLAIN_METADATA.get(given.socketType);
  if (metadata === undefined) {
    metadata = encodeOwnMetadata(given);
    PLAIN_METADATA.set(given.socketType, metadata);
  }
  return metadata;
}

function encodeOwnMetadata(given: ConnectionOptions): Uint8Array {
  const encoder = new TextEncoder();
  const properties: Property[] = [["Socket-Type", encoder.encode(given.socketType)]];
  const routingId = given.routingId ?? new Uint8Array(0);
  if (!(routingId instanceof Uint8Array)) throw new TypeError("routingId must be a Uint8Array");
  if (routingId.length > 255) throw new ZmqError("EINVAL", "routingId must be at most 255 bytes long");
  if (sendsIdentity(given.socketType)) properties.push(["Identity", routingId]);
  for (const [name, value] of Object.entries(given.metadata ?? {})) {
    if (!/^x-/i.test(name)) throw new ZmqError("EINVAL", `metadata names must begin with "X-": ${name}`);
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new TypeError(`metadata ${name} must be a string or a Uint8Array`);
    }
    properties.push([name, typeof value === "string" ? encoder.encode(value) : value]);
  }
  const metadata = encodeMetadata(properties);
  if (metadata.length > MAX_METADATA_SIZE) {
    throw new ZmqError(
      "EINVAL",
      `metadata of ${metadata.length} bytes, at most ${MAX_METADATA_SIZE} are allowed`,
    );
  }
  return metadata;
}

function integer(name: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new ZmqError("EINVAL", `${name} must be an integer from ${min} to ${max}, not ${value}`);
}

function boolean(name: string, value: boolean): boolean {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be a boolean`);
  return value;
}

function functionOrNone<T>(name: string, value: T | undefined): T | undefined {
  if (value !== undefined && typeof value !== "function") throw new TypeError(`${name} must be a function`);
  return value;
}

function limit(name: string, value: number = Number.POSITIVE_INFINITY, min: number): number {
  return value === Number.POSITIVE_INFINITY ? value : integer(name, value, min);
}

function heartbeatPeers(value: string): "all" | "able" {
  if (value === "all" || value === "able") return value;
  throw new ZmqError("EINVAL", `heartbeatPeers must be "all" or "able", not ${String(value)}`);
}
