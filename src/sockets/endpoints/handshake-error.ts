import { ProtocolError, RefusedError, ZmqError } from "../../errors.ts";
import type { SocketEvents } from "../events/events.ts";

type HandshakeErrorEvent =
  | SocketEvents["handshake:error:protocol"]
  | SocketEvents["handshake:error:auth"]
  | SocketEvents["handshake:error:other"];

/** The peer did not break the protocol: it spoke another, or stopped. */
const NOT_THE_PROTOCOL: ReadonlySet<string> = new Set([
  "ERR_ZMTP_VERSION",
  "ERR_ZMTP_HANDSHAKE_TIMEOUT",
  "ERR_ZMTP_TRUNCATED",
]);

/** How a handshake failed (MO-5), by what ended the connection; null: the peer closed in good order. */
export function handshakeError(address: string, error: Error | null): HandshakeErrorEvent {
  if (error instanceof RefusedError) {
    const type = error.status === undefined ? "handshake:error:protocol" : "handshake:error:auth";
    return { type, address, error };
  }
  if (error instanceof ProtocolError && !NOT_THE_PROTOCOL.has(error.code)) {
    return { type: "handshake:error:protocol", address, error };
  }
  return { type: "handshake:error:other", address, error: asZmqError(error, address) };
}

function asZmqError(error: Error | null, address: string): ZmqError {
  if (error === null) return new ZmqError("EPIPE", "The peer closed within the handshake", { address });
  if (error instanceof ZmqError) return error;
  const { code = "ECONNRESET" } = error as { code?: string };
  return new ZmqError(code, error.message, { address, cause: error });
}
