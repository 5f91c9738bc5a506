/**
 * Redis: a client, a subscriber and their protocol, RESP.
 *
 * @module zmtp/redis
 */
export { ZmqError } from "../errors.ts";
export { type BrokerStats, RedisBroker } from "./broker/broker.ts";
export type { BrokerFaults, Which } from "./broker/faults.ts";
export type { BrokerOptions } from "./broker/options.ts";
export type { CallOptions } from "./client/call.ts";
export { type ClientEvents, type ClientStats, type ConnectionEvents, RedisClient } from "./client/client.ts";
export type { Bulk, ReadOptions, ScanOptions, SetOptions } from "./client/commands.ts";
export { type ClusterEvents, type ClusterStats, RedisCluster } from "./cluster/cluster.ts";
export { ClusterSubscriber } from "./cluster/cluster-subscriber.ts";
export type { ClusterOptions } from "./cluster/options.ts";
export { type ClusterNode, type NodeAddress, type SlotRange, Topology } from "./cluster/topology.ts";
export type { RedisAddress } from "./connection/address.ts";
export type { ConnectionOptions, Credentials, RedisOptions } from "./connection/options.ts";
export { type DecoderOptions, RespDecoder } from "./protocol/decoder.ts";
export { type Argument, CommandWriter, encodeCommand, type WriterEnvironment } from "./protocol/encoder.ts";
export { ReplyError, RespError } from "./protocol/errors.ts";
export { asText, RespPush, type RespValue, type TextValue } from "./protocol/values.ts";
export type { ChannelKind, ChannelName } from "./pubsub/channel.ts";
export type {
  GapEvent,
  SubscriberErrorEvent,
  SubscriberEvents,
  SubscriberOptions,
  SubscriberStats,
} from "./pubsub/events.ts";
export type { InboxOptions, ReceiveBatchOptions, ReceivedMessage } from "./pubsub/inbox.ts";
export type { GapReason } from "./pubsub/losses.ts";
export { RedisSubscriber } from "./pubsub/subscriber.ts";
export type { Subscriber } from "./pubsub/subscriber-base.ts";
export type { MessageListener } from "./pubsub/subscription.ts";
export type { SubscriptionState } from "./pubsub/subscriptions.ts";
export type { SentinelOptions } from "./sentinel/options.ts";
export { RedisSentinel, type SentinelEvents } from "./sentinel/sentinel.ts";
