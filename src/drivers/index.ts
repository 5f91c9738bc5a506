/**
 * Dragonflow's publish/subscribe: events of a database on their way from writers to controllers.
 *
 * @module zmtp/dragonflow
 */
export { ProtocolError, RefusedError, ZmqError } from "../errors.ts";
export { type Config, type ConfigSources, loadConfig } from "./config/config.ts";
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
} from "./driver/api.ts";
export type { DriverEvents } from "./driver/driver-events.ts";
export type { DriverOptions as ZmqOptions } from "./driver/driver-options.ts";
export {
  ConfigError,
  DBKeyNotFoundError,
  DecodeError,
  UnknownOptionError,
  UnsupportedTransportError,
} from "./errors.ts";
export { packMessage, type UnpackedMessage, unpackMessage, type WireForm } from "./event/codec.ts";
export {
  DbUpdate,
  type DbUpdateOptions,
  type JsonValue,
  SEND_ALL_TOPIC,
  type WireFields,
} from "./event/db-update.ts";
export type { TopicMatch } from "./event/topics.ts";
export { type DriverAlias, loadDriver } from "./load-driver.ts";
export { RedisPubSub } from "./redis/redis.ts";
export type { RedisConnection, RedisPubSubOptions } from "./redis/redis-options.ts";
export { type HashCommands, RedisStore } from "./redis/redis-store.ts";
export type { AddressEvents } from "./service/address-book.ts";
export {
  PublisherDirectory,
  type PublisherDirectoryOptions,
  type PublisherDirectoryStats,
} from "./service/publisher-directory.ts";
export { fullyQualifiedName, publisherId } from "./service/publisher-id.ts";
export { configuredAddresses, PUBLISHER_TABLE, publisherUri } from "./service/publisher-row.ts";
export { PublisherService } from "./service/publisher-service.ts";
export { RateLimiter } from "./service/rate-limiter.ts";
export type { PublisherServiceOptions, ServiceEvents, ServiceStats } from "./service/service-api.ts";
export {
  type EventSender,
  MONITOR_TABLES,
  StalePublisherMonitor,
  type StalePublisherMonitorOptions,
  TableMonitor,
  type TableMonitorEvents,
  type TableMonitorOptions,
  type TableMonitorStats,
} from "./service/table-monitor.ts";
export { MemoryStore, type Store } from "./store/store.ts";
export type { SyncReason } from "./sync/sync.ts";
export { ZmqPubSub, ZmqPubSubBind, ZmqPubSubConnect, ZmqPubSubMultiproc } from "./zmq/zmq.ts";
