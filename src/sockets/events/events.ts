import type { ProtocolError, RefusedError, ZmqError } from "../../errors.ts";

/** Why a connection ended. */
export type DisconnectReason =
  | "peer"
  | "reset"
  | "heartbeat"
  | "handshake"
  | "protocol"
  | "refused"
  | "overflow";

/**
 * Everything a socket tells of its connections, in the order in which it happens; the names are zeromq.js's, the order is
 * libzmq's. `address` is the endpoint that was bound or dialled. One's own `close`, `disconnect` and `unbind` are told of
 * by nothing but `close` for each listener, and `end`.
 *
 * - a dial: `connect:delay`, `connect`, `handshake`; one that fails: `connect:delay`, `close`, `connect:retry`
 * - a listener: `bind` or `bind:error`; for each connection `accept`, `handshake`
 * - a handshake that fails: `handshake:error:...`, `disconnect`, and `connect:retry` where we dial again
 * - a loss: `disconnect`, and `connect:retry` where we dial again
 *
 * Codes of a `ProtocolError`, each with the `rule` that was broken. As in zeromq.js: `ERR_ZMTP_UNEXPECTED_COMMAND`,
 * `ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED`, `ERR_ZMTP_MALFORMED_COMMAND_ERROR`, `ERR_ZMTP_INVALID_METADATA`,
 * `ERR_ZMTP_MECHANISM_MISMATCH`. Finer than there: `ERR_ZMTP_SOCKET_TYPE` (types that do not fit), `ERR_ZMTP_VERSION` (no
 * ZMTP 3), `ERR_ZMTP_FRAME` (flags or size), `ERR_ZMTP_FRAME_TOO_LARGE`, `ERR_ZMTP_MESSAGE_TOO_LARGE`, `ERR_ZMTP_TRUNCATED`
 * (closed within a message), `ERR_ZMTP_HANDSHAKE_TIMEOUT`, `ERR_ZMTP_HEARTBEAT_TIMEOUT`. A `RefusedError` has
 * `ERR_ZMTP_REFUSED`.
 */
export interface SocketEvents {
  /** Listening, on the address as it really is. */
  bind: { type: "bind"; address: string };
  /** `bind` could not listen on the address that it was given; it rejects with the same error. */
  "bind:error": { type: "bind:error"; address: string; error: ZmqError };
  /** A listener was closed. Or a dial failed: `error` says why, and `connect:retry` follows unless there is no other. */
  close: { type: "close"; address: string; error?: Error };
  /** A connection came in; the handshake follows. */
  accept: { type: "accept"; address: string };
  /**
   * A connection could not be taken in: ENOBUFS, ENOMEM... Node says nothing when the process may not open more files: it
   * closes the connection, and the peer tries again.
   */
  "accept:error": { type: "accept:error"; address: string; error: ZmqError };
  /** A dial begins. Not for ipc, where the answer comes at once. */
  "connect:delay": { type: "connect:delay"; address: string };
  /** A dialled connection is there; the handshake follows. */
  connect: { type: "connect"; address: string };
  /** The address will be dialled again in `interval` ms. `error`: what made the dial fail, or the connection end, if known. */
  "connect:retry": { type: "connect:retry"; address: string; interval: number; error?: Error };
  /** The peer and we have agreed: messages flow. */
  handshake: { type: "handshake"; address: string };
  /** The peer broke the protocol before the handshake was complete, its type does not fit ours, or it said ERROR. */
  "handshake:error:protocol": {
    type: "handshake:error:protocol";
    address: string;
    error: ProtocolError | RefusedError;
  };
  /** The peer said ERROR with a status code of RFC 27: `error.status` is 300, 400 or 500. */
  "handshake:error:auth": { type: "handshake:error:auth"; address: string; error: RefusedError };
  /**
   * The handshake was not completed: the peer closed (EPIPE), the connection broke (ECONNRESET...), time was up
   * (`ERR_ZMTP_HANDSHAKE_TIMEOUT`), the peer speaks no ZMTP 3 (`ERR_ZMTP_VERSION`), or more than `maxPendingConnections`
   * were in handshake, of which this was the oldest (EMFILE).
   */
  "handshake:error:other": { type: "handshake:error:other"; address: string; error: ZmqError };
  /**
   * A connection was lost. `retryIn`: ms until it is dialled again; absent when it will not be. Reasons: the peer closed
   * it (`peer`) or it broke (`reset`), was silent for too long (`heartbeat`), did not complete the handshake
   * (`handshake`), broke the protocol (`protocol`), refused us (`refused`), or did not keep up (`overflow`).
   */
  disconnect: {
    type: "disconnect";
    address: string;
    reason: DisconnectReason;
    error?: Error;
    retryIn?: number;
  };
  /** A PUB has dropped a message for a subscriber whose queue is full, which does not know (`overflow: "drop"`). */
  drop: { type: "drop"; address: string };
  /** The socket was closed and lingering is over; the last event. */
  end: { type: "end" };
}

/** Any event of a socket. */
export type SocketEvent = SocketEvents[keyof SocketEvents];
