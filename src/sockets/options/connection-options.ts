import type { ConnectionOptions, SocketType } from "../../zmtp/index.ts";
import type { AllOptions } from "./options.ts";

/**
 * What the engine needs of a socket's options.
 *
 * @param options as they were when the endpoint was bound or dialled. @param current as they are now.
 */
export function connectionOptions(
  type: SocketType,
  options: AllOptions,
  current: AllOptions,
): Omit<ConnectionOptions, "now" | "allocate" | "view"> {
  return {
    socketType: type,
    maxMessageSize: Math.max(-1, options.maxMessageSize),
    maxMessageBytes: options.maxMessageBytes,
    maxMessageParts: options.maxMessageParts,
    maxTopicSize: () => current.maxTopicSize,
    handshakeInterval: options.handshakeInterval,
    heartbeatInterval: options.heartbeatInterval,
    heartbeatTimeout: options.heartbeatTimeout,
    heartbeatTimeToLive: options.heartbeatTimeToLive,
    heartbeatPeers: options.heartbeatPeers,
    onlyFirstSubscribe: options.onlyFirstSubscribe,
  };
}
