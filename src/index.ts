import { type Context, nodeContext } from "./node.ts";
import * as sockets from "./sockets/index.ts";

export { ProtocolError, type ProtocolErrorCode, RefusedError, ZmqError } from "./errors.ts";
export { Context } from "./node.ts";
export type {
  CallOptions,
  CommonOptions,
  ConflateOptions,
  ContextOptions,
  DisconnectReason,
  EventOfType,
  EventType,
  InvertOptions,
  Message,
  MessageLike,
  OverflowOptions,
  PeerStats,
  PublisherOptions,
  PublishOptions,
  PullOptions,
  PushOptions,
  Readable,
  ReceiveBatchOptions,
  ReceiveOptions,
  SendOptions,
  Socket,
  SocketEvent,
  SocketEvents,
  SocketOptions,
  SocketStats,
  SubscribedOptions,
  SubscriberOptions,
  ThreadOptions,
  Writable,
  XPublisherOptions,
  XPublishOptions,
  XSubscribeOptions,
  XSubscriberOptions,
} from "./sockets/index.ts";
export { Observer, Proxy } from "./sockets/index.ts";

/** What sockets belong to that name no other: one for the process, shared by the ESM and the CommonJS build. */
export const context: Context = nodeContext();

// Bundlers rename one of two classes of the same name, and users see it in logs: hence the names spelled out.

/** Sends each message to everyone who has subscribed to a prefix of its first part. */
export class Publisher extends sockets.Publisher {
  static override readonly name: string = "Publisher";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.PublisherOptions = {}) {
    super(options, nodeContext());
  }
}

/** Receives the messages whose first part begins with a topic that it has subscribed to. */
export class Subscriber extends sockets.Subscriber {
  static override readonly name: string = "Subscriber";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.SubscriberOptions = {}) {
    super(options, nodeContext());
  }
}

/** A Publisher that receives the subscriptions, and what its peers send. */
export class XPublisher extends sockets.XPublisher {
  static override readonly name: string = "XPublisher";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.XPublisherOptions = {}) {
    super(options, nodeContext());
  }
}

/** A Subscriber that subscribes by sending messages, and sends messages to the publishers. */
export class XSubscriber extends sockets.XSubscriber {
  static override readonly name: string = "XSubscriber";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.XSubscriberOptions = {}) {
    super(options, nodeContext());
  }
}

/** Deals messages out to its peers in turn, and waits when none has room. */
export class Push extends sockets.Push {
  static override readonly name: string = "Push";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.PushOptions = {}) {
    super(options, nodeContext());
  }
}

/** Receives messages from its peers, one from each in turn. */
export class Pull extends sockets.Pull {
  static override readonly name: string = "Pull";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: sockets.PullOptions = {}) {
    super(options, nodeContext());
  }
}
