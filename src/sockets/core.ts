import type { ConnectionOptions, SocketType } from "../zmtp/index.ts";
import type { Context } from "./context.ts";
import type { Events } from "./events.ts";
import type { AllOptions } from "./options.ts";
import type { Pattern } from "./pipe.ts";
import type { PeerStats } from "./stats.ts";

/** What a socket shares with its endpoints and pipes. */
export interface Core {
  readonly type: SocketType;
  readonly context: Context;
  readonly options: AllOptions;
  readonly events: Events;
  readonly pattern: Pattern;
  /** What the pipes counted that are gone. */
  readonly gone: Pick<PeerStats, "sent" | "received" | "dropped">;
}

/** The options for a new connection, as they are now. */
export function connectionOptions({ type, options }: Core): Omit<ConnectionOptions, "now" | "allocate"> {
  return {
    socketType: type,
    maxMessageSize: options.maxMessageSize,
    maxMessageBytes: options.maxMessageBytes,
    handshakeInterval: options.handshakeInterval,
    heartbeatInterval: options.heartbeatInterval,
    heartbeatTimeout: options.heartbeatTimeout,
    heartbeatTimeToLive: options.heartbeatTimeToLive,
    heartbeatPeers: options.heartbeatPeers,
    onlyFirstSubscribe: options.onlyFirstSubscribe,
  };
}
