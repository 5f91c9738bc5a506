import type { ConnectionOptions, SocketType } from "../zmtp/index.ts";
import type { Context } from "./context.ts";
import type { Monitor } from "./monitor.ts";
import type { AllOptions } from "./options.ts";
import type { Pattern } from "./pipe.ts";
import type { PeerStats } from "./stats.ts";

/** What a socket shares with its endpoints and pipes. */
export interface Core {
  readonly type: SocketType;
  readonly context: Context;
  /** As they are now. */
  readonly options: AllOptions;
  readonly events: Monitor;
  readonly pattern: Pattern;
  /** What the pipes counted that are gone. */
  readonly gone: Pick<PeerStats, "sent" | "received" | "dropped">;
}

/** @param options as they were when the endpoint was bound or dialled. */
export function connectionOptions(
  type: SocketType,
  options: AllOptions,
): Omit<ConnectionOptions, "now" | "allocate"> {
  return {
    socketType: type,
    maxMessageSize: Math.max(-1, options.maxMessageSize),
    maxMessageBytes: options.maxMessageBytes,
    handshakeInterval: options.handshakeInterval,
    heartbeatInterval: options.heartbeatInterval,
    heartbeatTimeout: options.heartbeatTimeout,
    heartbeatTimeToLive: options.heartbeatTimeToLive,
    heartbeatPeers: options.heartbeatPeers,
    onlyFirstSubscribe: options.onlyFirstSubscribe,
  };
}
