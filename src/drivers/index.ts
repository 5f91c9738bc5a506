/**
 * Dragonflow's publish/subscribe: events of a database on their way from writers to controllers.
 *
 * @module zmtp/dragonflow
 */
export { ProtocolError, RefusedError, ZmqError } from "../errors.ts";
export type { AddressEvents } from "./address-book.ts";
export type {
  DbChangesCallback,
  EventFrames,
  FramesCallback,
  PublisherApi,
  PublisherStats,
  PubSubApi,
  SubscriberApi,
  SubscriberStats,
  TopicOptions,
} from "./api.ts";
export { packMessage, type UnpackedMessage, unpackMessage, type WireForm } from "./codec.ts";
export { type Config, type ConfigSources, loadConfig } from "./config.ts";
export {
  DbUpdate,
  type DbUpdateOptions,
  type JsonValue,
  SEND_ALL_TOPIC,
  type WireFields,
} from "./db-update.ts";
export type { DriverEvents } from "./driver-events.ts";
export {
  ConfigError,
  DBKeyNotFoundError,
  DecodeError,
  UnknownOptionError,
  UnsupportedTransportError,
} from "./errors.ts";
export { type DriverAlias, loadDriver } from "./load-driver.ts";
export {
  PublisherDirectory,
  type PublisherDirectoryOptions,
  type PublisherDirectoryStats,
} from "./publisher-directory.ts";
export { fullyQualifiedName, publisherId } from "./publisher-id.ts";
export { configuredAddresses, PUBLISHER_TABLE, publisherUri } from "./publisher-row.ts";
export { PublisherService } from "./publisher-service.ts";
export { RateLimiter } from "./rate-limiter.ts";
export { RedisPubSub } from "./redis/redis.ts";
export type { RedisConnection, RedisPubSubOptions } from "./redis/redis-options.ts";
export { type HashCommands, RedisStore } from "./redis/redis-store.ts";
export type { PublisherServiceOptions, ServiceEvents, ServiceStats } from "./service-api.ts";
export { MemoryStore, type Store } from "./store.ts";
export type { SyncReason } from "./sync.ts";
export {
  type EventSender,
  MONITOR_TABLES,
  StalePublisherMonitor,
  type StalePublisherMonitorOptions,
  TableMonitor,
  type TableMonitorEvents,
  type TableMonitorOptions,
  type TableMonitorStats,
} from "./table-monitor.ts";
export type { TopicMatch } from "./topics.ts";
export { ZmqPubSub, ZmqPubSubBind, ZmqPubSubConnect, ZmqPubSubMultiproc } from "./zmq.ts";
export type { ZmqOptions } from "./zmq-options.ts";
