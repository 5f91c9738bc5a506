import { ZmqError } from "../../errors.ts";

/** The word that begins an error reply in the manner of Redis: `WRONGTYPE Operation against...`. */
const CODE = /^[A-Z][A-Z0-9_]*(?= |$)/;

/**
 * The server said no: an error reply. Inside an array or map it is a value like others; whoever asked for it alone gets it thrown.
 *
 * `code` is its first word when that is in capitals (`WRONGTYPE`, `NOPERM`, `MOVED`), else `ERR`; `message` is the whole text.
 */
export class ReplyError extends ZmqError {
  override readonly name = "ReplyError";

  constructor(text: string) {
    super(CODE.exec(text)?.[0] ?? "ERR", text);
  }
}

/** The peer sent bytes that are no RESP, or more than the limits allow. There is no way back into such a stream. */
export class RespError extends ZmqError {
  override readonly name = "RespError";
  /** Where the mistake is: bytes since the connection began. */
  readonly offset: number;
  /** The bytes there as hex digits, as many as had come, 16 at most. */
  readonly excerpt: string;

  constructor(reason: string, offset: number, bytes: Uint8Array) {
    const excerpt = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
    super("EPROTO", `${reason}, at byte ${offset}: ${excerpt}`);
    this.offset = offset;
    this.excerpt = excerpt;
  }
}

/** Codes of a server that lets us in later. */
const PASSING = new Set(["LOADING", "MASTERDOWN", "BUSY", "TRYAGAIN", "CLUSTERDOWN"]);
const TOO_MANY_CLIENTS = /^ERR max number of clients/;

/** Why connecting failed: the server does not let us in (WRONGPASS, NOAUTH...), and waiting does not help. */
export function isRefusal(error: ZmqError): boolean {
  return error instanceof ReplyError && !PASSING.has(error.code) && !TOO_MANY_CLIENTS.test(error.message);
}
