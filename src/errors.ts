/**
 * Every way this library reports failure, by who is to blame. `code` is stable, `message` is for people.
 *
 * - the caller, wrong kind of argument: `TypeError` thrown at the call
 * - the caller, wrong value or state: {@link ZmqError} with a `code` as zeromq.js has it (EINVAL, EBADF, ENOENT...)
 * - the system: {@link ZmqError} with the system's code (EADDRINUSE, ECONNREFUSED...)
 * - the peer: {@link ProtocolError}, which costs that peer its connection and nothing else
 */
export class ZmqError extends Error {
  override readonly name: string = "ZmqError";
  readonly code: string;
  /** The number of `code`, as libzmq has it on Linux; absent where there is none. */
  declare readonly errno?: number;
  /** The endpoint concerned, as it was given. */
  declare readonly address?: string;

  constructor(code: string, message?: string, details: { address?: string; cause?: unknown } = {}) {
    super(message ?? MESSAGES[code] ?? code, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    const errno = ERRNO[code];
    if (errno !== undefined) this.errno = errno;
    if (details.address) this.address = details.address;
  }
}

/** The peer broke the protocol: its connection is closed; the socket lives on. */
export class ProtocolError extends ZmqError {
  override readonly name = "ProtocolError";
  /** The rule that was broken, e.g. `RFC 37, Framing`. */
  readonly rule: string;

  constructor(code: ProtocolErrorCode, rule: string, message: string) {
    super(code, `${message} (${rule})`);
    this.rule = rule;
  }
}

/** The peer sent an ERROR command: it does not want us (RFC 37, "Error Handling"). */
export class RefusedError extends ZmqError {
  override readonly name = "RefusedError";
  /** What the peer gave as its reason; may be empty. Printable ASCII, the rest escaped. */
  readonly reason: string;
  /** The reason, when it is a status code of RFC 27: 300, 400 or 500. */
  declare readonly status?: number;

  constructor(reason: string) {
    super("ERR_ZMTP_REFUSED", STATUS.get(reason) ?? `refused by the peer: ${reason || "no reason given"}`);
    this.reason = reason;
    if (STATUS.has(reason)) this.status = Number(reason);
  }
}

export type ProtocolErrorCode =
  | "ERR_ZMTP_GREETING"
  | "ERR_ZMTP_VERSION"
  | "ERR_ZMTP_MECHANISM_MISMATCH"
  | "ERR_ZMTP_FRAME"
  | "ERR_ZMTP_FRAME_TOO_LARGE"
  | "ERR_ZMTP_MESSAGE_TOO_LARGE"
  | "ERR_ZMTP_TRUNCATED"
  | "ERR_ZMTP_UNEXPECTED_COMMAND"
  | "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"
  | "ERR_ZMTP_MALFORMED_COMMAND_ERROR"
  | "ERR_ZMTP_INVALID_METADATA"
  | "ERR_ZMTP_SOCKET_TYPE"
  | "ERR_ZMTP_HANDSHAKE_TIMEOUT"
  | "ERR_ZMTP_HEARTBEAT_TIMEOUT"
  | "ERR_ZMTP_SUBSCRIPTION_LIMIT";

/** zeromq.js's texts for the status codes of RFC 27. */
const STATUS: ReadonlyMap<string, string> = new Map([
  ["300", "Temporary error"],
  ["400", "Authentication failure"],
  ["500", "Internal error"],
]);

/** zeromq.js's texts, for the codes that users meet. */
const MESSAGES: Readonly<Record<string, string>> = {
  EAGAIN: "Operation was not possible or timed out",
  EBADF: "Socket is closed",
  EBUSY: "Socket is busy",
  ENOENT: "No such endpoint",
  EADDRINUSE: "Address already in use",
  EMFILE: "Too many open file descriptors",
  ENOTSOCK: "Socket operation on non-socket",
  EADDRNOTAVAIL: "Cannot assign requested address",
  EINVAL: "Invalid argument",
  EPROTONOSUPPORT: "Protocol not supported",
  EHOSTUNREACH: "Host unreachable",
  ENODEV: "No such device",
  ENAMETOOLONG: "File name too long",
};

/** Linux's numbers, which are the ones zeromq.js shows. */
const ERRNO: Readonly<Record<string, number>> = {
  ENOENT: 2,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOTSOCK: 88,
  EPROTONOSUPPORT: 93,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
};
