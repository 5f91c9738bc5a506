import { ZmqError } from "../errors.ts";

/** Options that every socket has; zeromq.js's names, units and defaults. All can be set in the constructor or later. */
export interface CommonOptions {
  /** ms that `close`, `disconnect` and `unbind` go on sending what is queued; -1: for ever. Default -1; SUB 0. */
  linger: number;
  /** ms before a lost or refused connection is dialled again; -1 or 0: never. Default 100. */
  reconnectInterval: number;
  /** ms that the interval may grow to; 0: it does not grow. Default 0. */
  reconnectMaxInterval: number;
  /** Connections that the system queues for a listener. Default 100. */
  backlog: number;
  /** Bytes that a received frame may have; a larger one costs the peer its connection. -1: no limit. Default -1. */
  maxMessageSize: number;
  /** Bytes that a received message may have in all, each part counted with 64 bytes more. Default 1 GiB. */
  maxMessageBytes: number;
  /** ms for a connection to complete the handshake; 0: no limit. Default 30000. */
  handshakeInterval: number;
  /** ms between PINGs; 0: none. Default 0. */
  heartbeatInterval: number;
  /** ms of silence after a PING until the connection is given up; 0: never, -1: heartbeatInterval. Default -1. */
  heartbeatTimeout: number;
  /** ms of silence after which the peer is to give us up, told in each PING; full tenths of a second. Default 0: none. */
  heartbeatTimeToLive: number;
  /** "all": every peer gets PINGs, as from libzmq. "able": those that announce ZMTP 3.1 or have sent a PING. Default "all". */
  heartbeatPeers: "all" | "able";
  /** ms for a dial to succeed; 0: as long as the system tries. Default 0. */
  connectTimeout: number;
  /** ms, at most, before the first attempt to regain a connection that was up; -1: as any other. Default -1. */
  reconnectFirst: number;
  /** TCP keep-alive: -1 on, 0 off, 1 on. Default -1. */
  tcpKeepalive: -1 | 0 | 1;
  /** Seconds of silence before the first TCP keep-alive probe; -1: the system's. Default -1. */
  tcpKeepaliveIdle: number;
  /** Whether names and `*` mean IPv6 too. Default false. */
  ipv6: boolean;
}

/** Options of sockets that send. */
export interface SendOptions {
  /** Messages queued per peer before `send` waits (PUSH) or drops (PUB); 0: no limit. Default 1000. */
  sendHighWaterMark: number;
  /** Bytes queued per peer, each part counted with 64 more, with the same effect; 0: no limit. Default 0. */
  sendHighWaterMarkBytes: number;
  /** ms that `send` waits for room; 0: not at all, -1: for ever. Then it rejects with EAGAIN. Default -1. */
  sendTimeout: number;
}

/** Options of sockets that receive. */
export interface ReceiveOptions {
  /** Messages queued per peer before we stop reading from it, so that TCP holds it up; 0: no limit. Default 1000. */
  receiveHighWaterMark: number;
  /** Bytes queued per peer, each part counted with 64 more, with the same effect; 0: no limit. Default 0. */
  receiveHighWaterMarkBytes: number;
  /** ms that `receive` waits; 0: not at all, -1: for ever. Then it rejects with EAGAIN. Default -1. */
  receiveTimeout: number;
}

/** Options of PUB. */
export interface OverflowOptions {
  /**
   * What happens to a subscriber whose queue is full: it misses messages, which are counted ("drop"), or it loses its
   * connection, so that it knows ("disconnect"). Default "drop".
   */
  overflow: "drop" | "disconnect";
}

/** Options of a single call that may wait. */
export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason, and nothing was sent or taken. */
  signal?: AbortSignal;
}

export type AllOptions = CommonOptions & SendOptions & ReceiveOptions & OverflowOptions;
export type OptionName = keyof AllOptions;

type Check = (value: unknown) => boolean;
interface OptionRule {
  initial: AllOptions[OptionName];
  type: "number" | "boolean" | "string";
  valid: Check;
}

const INT32_MAX = 2 ** 31 - 1;

function integer(initial: number, min: number, max = INT32_MAX): OptionRule {
  return {
    initial,
    type: "number",
    valid: (v) => Number.isSafeInteger(v) && (v as number) >= min && (v as number) <= max,
  };
}

function choice<T extends string>(initial: T, ...values: readonly T[]): OptionRule {
  return { initial: initial as never, type: "string", valid: (v) => values.includes(v as T) };
}

export const COMMON_OPTIONS: Readonly<Record<keyof CommonOptions, OptionRule>> = {
  linger: integer(-1, -1),
  reconnectInterval: integer(100, -1),
  reconnectMaxInterval: integer(0, 0),
  backlog: integer(100, 0),
  maxMessageSize: integer(-1, -1, Number.MAX_SAFE_INTEGER),
  maxMessageBytes: integer(2 ** 30, 1, Number.MAX_SAFE_INTEGER),
  handshakeInterval: integer(30_000, 0),
  heartbeatInterval: integer(0, 0),
  heartbeatTimeout: integer(-1, -1),
  // RFC 37, "Connection Heartbeating": tenths of a second in 16 bits.
  heartbeatTimeToLive: integer(0, 0, 6_553_599),
  heartbeatPeers: choice("all", "all", "able"),
  connectTimeout: integer(0, 0),
  reconnectFirst: integer(-1, -1),
  tcpKeepalive: integer(-1, -1, 1),
  tcpKeepaliveIdle: integer(-1, -1),
  ipv6: { initial: false, type: "boolean", valid: () => true },
};

export const SEND_OPTIONS: Readonly<Record<keyof SendOptions, OptionRule>> = {
  sendHighWaterMark: integer(1000, 0),
  sendHighWaterMarkBytes: integer(0, 0, Number.MAX_SAFE_INTEGER),
  sendTimeout: integer(-1, -1),
};

export const RECEIVE_OPTIONS: Readonly<Record<keyof ReceiveOptions, OptionRule>> = {
  receiveHighWaterMark: integer(1000, 0),
  receiveHighWaterMarkBytes: integer(0, 0, Number.MAX_SAFE_INTEGER),
  receiveTimeout: integer(-1, -1),
};

export const OVERFLOW_OPTIONS: Readonly<Record<keyof OverflowOptions, OptionRule>> = {
  overflow: choice("drop", "drop", "disconnect"),
};

const RULES: Readonly<Record<OptionName, OptionRule>> = {
  ...COMMON_OPTIONS,
  ...SEND_OPTIONS,
  ...RECEIVE_OPTIONS,
  ...OVERFLOW_OPTIONS,
};

/** Every option with its default. Types without a use for some of them never read those. */
export function defaultOptions(): AllOptions {
  return Object.fromEntries(
    Object.entries(RULES).map(([name, rule]) => [name, rule.initial]),
  ) as unknown as AllOptions;
}

export function isOption(name: string): name is OptionName {
  return Object.hasOwn(RULES, name);
}

/** @throws {TypeError} for a value of the wrong kind, {ZmqError} EINVAL for one out of range. */
export function checkOption(name: OptionName, value: unknown): void {
  const rule = RULES[name];
  if (typeof value !== rule.type) throw new TypeError(`Option value must be a ${rule.type}: ${name}`);
  if (!rule.valid(value)) throw new ZmqError("EINVAL", `Invalid argument: ${name} = ${String(value)}`);
}
