import type { ZmqError } from "../../errors.ts";
import type { DisconnectReason } from "../../sockets/index.ts";

/** How the end of a connection is told. */
export function disconnectReason({ code }: ZmqError): DisconnectReason {
  if (code === "ETIMEDOUT" || code === "EUNKNOWN") return "heartbeat";
  if (code === "EPROTO") return "protocol";
  return "reset";
}
