export { Emitter } from "../runtime/emitter.ts";
export type { Channel, Environment, Timer } from "../runtime/environment.ts";
export { Pace } from "../runtime/pace.ts";
export { Context, type InContext } from "./context/context.ts";
export type { DisconnectReason, SocketEvent, SocketEvents } from "./events/events.ts";
export { Observer } from "./events/observer.ts";
export type { Message, MessageLike } from "./message.ts";
export type { CommonOptions } from "./options/common-options.ts";
export type { ContextOptions, ThreadOptions } from "./options/context-options.ts";
export type { CallOptions } from "./options/options.ts";
export type {
  InvertOptions,
  PublishOptions,
  XPublishOptions,
  XSubscribeOptions,
} from "./options/publish-options.ts";
export type {
  ConflateOptions,
  OverflowOptions,
  ReceiveOptions,
  SendOptions,
} from "./options/queue-options.ts";
export type { ReceiveBatchOptions } from "./patterns/receiver.ts";
export { SocketProxy as Proxy } from "./proxy.ts";
export { Publisher, type PublisherOptions } from "./publisher.ts";
export type { SubscribedOptions } from "./publishing-socket.ts";
export { Pull, type PullOptions } from "./pull.ts";
export { Push, type PushOptions } from "./push.ts";
export type { EventOfType, EventType, Readable, SocketOptions, Writable } from "./shapes.ts";
export type { Socket } from "./socket.ts";
export type { PeerStats, SocketStats } from "./stats.ts";
export { Subscriber, type SubscriberOptions } from "./subscriber.ts";
export { XPublisher, type XPublisherOptions } from "./xpublisher.ts";
export { XSubscriber, type XSubscriberOptions } from "./xsubscriber.ts";
