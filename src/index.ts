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

// Bundlers rename one of two classes of the same name, and users see it in logs: hence the name spelled out.
export class Publisher extends sockets.Publisher {
  static override readonly name: string = "Publisher";

  constructor(options: sockets.PublisherOptions = {}) {
    super(options, nodeContext());
  }
}

export class Subscriber extends sockets.Subscriber {
  static override readonly name: string = "Subscriber";

  constructor(options: sockets.SubscriberOptions = {}) {
    super(options, nodeContext());
  }
}

export class Push extends sockets.Push {
  static override readonly name: string = "Push";

  constructor(options: sockets.PushOptions = {}) {
    super(options, nodeContext());
  }
}

export class Pull extends sockets.Pull {
  static override readonly name: string = "Pull";

  constructor(options: sockets.PullOptions = {}) {
    super(options, nodeContext());
  }
}
