import { nodeContext } from "./node.ts";
import * as sockets from "./sockets/index.ts";

export { ProtocolError, type ProtocolErrorCode, RefusedError, ZmqError } from "./errors.ts";
export type {
  CallOptions,
  CommonOptions,
  DisconnectReason,
  Events,
  Message,
  MessageLike,
  OverflowOptions,
  PeerStats,
  PublisherOptions,
  PullOptions,
  PushOptions,
  ReceiveBatchOptions,
  ReceiveOptions,
  SendOptions,
  Socket,
  SocketEvents,
  SocketStats,
  SubscribedOptions,
  SubscriberOptions,
} from "./sockets/index.ts";

export class Publisher extends sockets.Publisher {
  constructor(options: sockets.PublisherOptions = {}) {
    super(options, nodeContext());
  }
}

export class Subscriber extends sockets.Subscriber {
  constructor(options: sockets.SubscriberOptions = {}) {
    super(options, nodeContext());
  }
}

export class Push extends sockets.Push {
  constructor(options: sockets.PushOptions = {}) {
    super(options, nodeContext());
  }
}

export class Pull extends sockets.Pull {
  constructor(options: sockets.PullOptions = {}) {
    super(options, nodeContext());
  }
}
