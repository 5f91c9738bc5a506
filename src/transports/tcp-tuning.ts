import type { Socket } from "node:net";
import type { TransportOptions } from "./transport.ts";

/** Every TCP connection sends at once, and finds out in the end that its peer is gone. */
export function tune(socket: Socket, options: TransportOptions): void {
  socket.setNoDelay(true);
  // A delay of 0 leaves the system's.
  if (options.tcpKeepalive !== 0) socket.setKeepAlive(true, Math.max(0, options.tcpKeepaliveIdle) * 1000);
}
