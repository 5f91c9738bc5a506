import { INEFFECTIVE_OPTIONS, type IneffectiveOptions } from "./ineffective-options.ts";
import { bool, choice, int32, int64, type OptionTable } from "./option-rules.ts";

/**
 * Options that every socket has; zeromq.js's names, units and defaults. All can be set in the constructor or later. Where nothing
 * else is said, a value holds for what is bound or dialled from then on.
 */
export interface CommonOptions extends IneffectiveOptions {
  /**
   * ms that `close`, `disconnect` and `unbind` go on sending what is queued; -1: for ever. Takes effect at once. Default -1; SUB and
   * XSUB 0; 0 for all in a context that is not `blocky`. ZMQ_LINGER.
   */
  linger: number;
  /** ms before a lost or refused connection is dialled again; -1 or 0: never. Default 100. ZMQ_RECONNECT_IVL. */
  reconnectInterval: number;
  /** ms that the interval may grow to; 0: it does not grow. Default 0. ZMQ_RECONNECT_IVL_MAX. */
  reconnectMaxInterval: number;
  /** Connections that the system queues for a listener. Default 100. ZMQ_BACKLOG. */
  backlog: number;
  /**
   * Connections per listener that may be in handshake; one more costs the oldest of them its place. Takes effect at once.
   * Default 1000.
   */
  maxPendingConnections: number;
  /** Bytes that a received frame may have; a larger one costs the peer its connection. Negative: no limit. Default -1. ZMQ_MAXMSGSIZE. */
  maxMessageSize: number;
  /** Bytes that a received message may have in all, each part counted with 64 bytes more. Default 1 GiB. */
  maxMessageBytes: number;
  /**
   * Parts that a received message may have; one more costs the peer its connection. A small part takes some 120 bytes of memory. Default
   * 1048576.
   */
  maxMessageParts: number;
  /**
   * Only what is connected, the handshake complete, counts as a peer of a socket that dials: nothing is queued for others, and what is
   * queued for one is dropped, and counted, when its connection is lost. Default false. ZMQ_IMMEDIATE.
   */
  immediate: boolean;
  /** ms for a connection to complete the handshake; 0: no limit. Default 30000. ZMQ_HANDSHAKE_IVL. */
  handshakeInterval: number;
  /** ms between PINGs; 0: none. Default 0. ZMQ_HEARTBEAT_IVL. */
  heartbeatInterval: number;
  /** ms of silence after a PING until the connection is given up; 0: never, -1: heartbeatInterval. Default -1. ZMQ_HEARTBEAT_TIMEOUT. */
  heartbeatTimeout: number;
  /** ms of silence after which the peer is to give us up, told in each PING; rounded down to 100. Default 0: none. ZMQ_HEARTBEAT_TTL. */
  heartbeatTimeToLive: number;
  /** "all": every peer gets PINGs, as from libzmq. "able": those that announce ZMTP 3.1 or have sent a PING. Default "all". */
  heartbeatPeers: "all" | "able";
  /** ms for a dial to succeed; 0: as long as the system tries. Default 0. ZMQ_CONNECT_TIMEOUT. */
  connectTimeout: number;
  /** ms, at most, before the first attempt to regain a connection that was up; -1: as any other. Default -1. */
  reconnectFirst: number;
  /** TCP keep-alive: -1 on, 0 off, 1 on. Default -1. ZMQ_TCP_KEEPALIVE. */
  tcpKeepalive: -1 | 0 | 1;
  /** Seconds of silence before the first TCP keep-alive probe; -1: the system's. Default -1. ZMQ_TCP_KEEPALIVE_IDLE. */
  tcpKeepaliveIdle: number;
  /** Whether names and `*` mean IPv6 too. Default: the context's, false. ZMQ_IPV6. */
  ipv6: boolean;
}

export const COMMON_OPTIONS: OptionTable<CommonOptions> = {
  linger: int32({ initial: -1, unit: "ms", effect: "now", libzmq: "LINGER" }),
  reconnectInterval: int32({ initial: 100, unit: "ms", effect: "next", libzmq: "RECONNECT_IVL" }),
  reconnectMaxInterval: int32({
    initial: 0,
    min: 0,
    unit: "ms",
    effect: "next",
    libzmq: "RECONNECT_IVL_MAX",
  }),
  backlog: int32({ initial: 100, min: 0, effect: "next", libzmq: "BACKLOG" }),
  maxPendingConnections: int32({ initial: 1000, min: 1, effect: "now" }),
  maxMessageSize: int64({
    initial: -1,
    min: Number.MIN_SAFE_INTEGER,
    range: "any; negative: no limit",
    unit: "bytes",
    effect: "next",
    libzmq: "MAXMSGSIZE",
  }),
  maxMessageBytes: int64({ initial: 2 ** 30, min: 1, unit: "bytes", effect: "next" }),
  maxMessageParts: int32({ initial: 2 ** 20, min: 1, unit: "parts", effect: "next" }),
  immediate: bool({ initial: false, effect: "next", libzmq: "IMMEDIATE" }),
  handshakeInterval: int32({ initial: 30_000, min: 0, unit: "ms", effect: "next", libzmq: "HANDSHAKE_IVL" }),
  heartbeatInterval: int32({ initial: 0, min: 0, unit: "ms", effect: "next", libzmq: "HEARTBEAT_IVL" }),
  heartbeatTimeout: int32({ initial: -1, unit: "ms", effect: "next", libzmq: "HEARTBEAT_TIMEOUT" }),
  // RFC 37, "Connection Heartbeating": tenths of a second in 16 bits.
  heartbeatTimeToLive: int32({
    initial: 0,
    min: 0,
    max: 6_553_599,
    step: 100,
    unit: "ms",
    effect: "next",
    libzmq: "HEARTBEAT_TTL",
  }),
  heartbeatPeers: choice(["all", "able"], { initial: "all", effect: "next" }),
  connectTimeout: int32({ initial: 0, min: 0, unit: "ms", effect: "next", libzmq: "CONNECT_TIMEOUT" }),
  reconnectFirst: int32({ initial: -1, unit: "ms", effect: "next" }),
  tcpKeepalive: int32<-1 | 0 | 1>({ initial: -1, max: 1, effect: "next", libzmq: "TCP_KEEPALIVE" }),
  tcpKeepaliveIdle: int32({ initial: -1, unit: "s", effect: "next", libzmq: "TCP_KEEPALIVE_IDLE" }),
  ipv6: bool({ initial: false, effect: "next", libzmq: "IPV6" }),
  ...INEFFECTIVE_OPTIONS,
};
