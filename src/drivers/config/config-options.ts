import type { WireForm } from "../event/codec.ts";

/**
 * The options that a configuration has. Those of Dragonflow have its names, units and defaults; times are in seconds there.
 * What this package adds is in milliseconds, except syncPeriod, which takes the place of db_sync_time.
 */
export interface Config {
  /** Use the built-in publish/subscribe. */
  readonly enableDfPubSub: boolean;
  /** Driver for the network: an alias. */
  readonly pubSubDriver: string;
  /** Driver between the processes of a host: an alias. */
  readonly pubSubMultiprocDriver: string;
  /** Writers send through the publisher service of their host. */
  readonly pubSubUseMultiproc: boolean;
  /** Path of the ipc socket; `[df_zmq] ipc_socket` goes before it. */
  readonly publisherMultiprocSocket: string;
  /** Addresses of the publishers, without transport and port. */
  readonly publishersIps: readonly string[];
  /** Port of all publishers. */
  readonly publisherPort: number;
  readonly publisherTransport: string;
  readonly publisherBindAddress: string;
  /** Seconds without activity after which a publisher's row is stale. */
  readonly publisherTimeout: number;
  /** Updates of a publisher's row per publisherRateLimitTimeout. */
  readonly publisherRateLimitCount: number;
  /** Seconds. */
  readonly publisherRateLimitTimeout: number;
  /** Seconds between two polls of a monitored table. */
  readonly monitorTablePollTime: number;
  readonly remoteDbIp: string;
  readonly remoteDbPort: number;
  /** host:port each. */
  readonly remoteDbHosts: readonly string[];
  /** Replaces `*` in a publisher's uri, in 2016. */
  readonly localIp: string;
  /** Replaces `*` in a publisher's uri, in 2019. */
  readonly managementIp: string;
  readonly nbDbClass: string;
  /** A topic per tenant. */
  readonly enableSelectiveTopologyDistribution: boolean;
  /** Seconds between two full comparisons. */
  readonly dbSyncTime: number;
  readonly enableNeutronNotifier: boolean;
  readonly neutronNotifier: string;
  /** Seconds. */
  readonly neutronListenerReportInterval: number;
  /** Seconds. */
  readonly neutronListenerReportDelay: number;
  /** Seconds. */
  readonly reportInterval: number;
  /** Seconds. */
  readonly serviceDownTime: number;
  /** Seconds. */
  readonly distributedLockTtl: number;

  /** What is sent; both forms are received. */
  readonly wireForm: WireForm;
  /** Seconds after the last `sync` at which one is called without a known loss; 0: never. */
  readonly syncPeriod: number;
  /** ms between two `sync`. */
  readonly syncMinInterval: number;
  /** ms: upper limit of a random delay of each `sync`. */
  readonly syncSpread: number;
  /** ms that a lost publisher is waited for. */
  readonly lossGrace: number;
  /** ms that daemonize() waits for publishers. */
  readonly startTimeout: number;
  /** ms from the answer to a PING until its subscriptions count as in force. */
  readonly settleTime: number;
  /** ms; 0: no heartbeats. */
  readonly heartbeatInterval: number;
  /** ms */
  readonly heartbeatTimeout: number;
  /** ms */
  readonly handshakeInterval: number;
  /** ms; -1: for ever. */
  readonly linger: number;
  /** Attempts to publish an event on Redis, on one master after the other. */
  readonly publishRetryTimes: number;
  /**
   * ms between two looks whether the Redis node in use is in its cluster still; 0: none. Two in a row, and it
   * is left.
   */
  readonly topologyInterval: number;
  /** ms that sendEvent waits over PUSH, and for each answer of Redis; -1: for ever. */
  readonly sendTimeout: number;
  /** ms: the first delay between two attempts to connect. At least 1: a subscriber that does not come back misses everything. */
  readonly reconnectInterval: number;
  /** ms: what it grows to. */
  readonly reconnectMaxInterval: number;
  /** Bytes a frame; -1: no limit. */
  readonly maxMessageSize: number;
  /** Messages queued per subscriber. */
  readonly sendHighWaterMark: number;
  /** Bytes queued per subscriber. */
  readonly sendHighWaterMarkBytes: number;
  /** What a publisher does with a subscriber whose queue is full. */
  readonly overflow: "disconnect" | "drop";
  /**
   * A publisher numbers its events, in fields that Dragonflow ignores; a subscriber looks for numbers that are missing, and
   * answers them with a `sync`. Costs some 40 bytes an event.
   */
  readonly sequenceNumbers: boolean;
  /** ms after which a numbering publisher tells the last number of an idle topic, at first; later at most 12 times that. */
  readonly sequenceInterval: number;
}

/** A text that must be read as a value of this kind. */
export type OptionKind =
  | { readonly kind: "text" | "ip" | "bool" | "list" | "seconds" }
  | { readonly kind: "integer"; readonly min: number; readonly max?: number }
  | { readonly kind: "choice"; readonly of: readonly string[] };

/** The default is a text, as it would stand in a file. */
export type OptionSpec = OptionKind & { readonly default: string };

const text = (value: string): OptionSpec => ({ kind: "text", default: value });
const ip = (value: string): OptionSpec => ({ kind: "ip", default: value });
const bool = (value: boolean): OptionSpec => ({ kind: "bool", default: String(value) });
const list = (value: string): OptionSpec => ({ kind: "list", default: value });
const seconds = (value: number): OptionSpec => ({ kind: "seconds", default: String(value) });
const integer = (value: number, min = 0, max?: number): OptionSpec => ({
  kind: "integer",
  default: String(value),
  min,
  ...(max === undefined ? {} : { max }),
});
const port = (value: number): OptionSpec => integer(value, 0, 65535);
const choice = (value: string, ...others: string[]): OptionSpec => ({
  kind: "choice",
  default: value,
  of: [value, ...others],
});

export const OPTIONS: { readonly [name in keyof Config]: OptionSpec } = {
  enableDfPubSub: bool(false),
  pubSubDriver: text("zmq_pubsub_driver"),
  pubSubMultiprocDriver: text("zmq_pubsub_multiproc_driver"),
  pubSubUseMultiproc: bool(true),
  publisherMultiprocSocket: text("/var/run/zmq_pubsub/zmq-publisher-socket"),
  publishersIps: list("$local_ip"),
  publisherPort: port(8866),
  publisherTransport: text("tcp"),
  publisherBindAddress: text("*"),
  publisherTimeout: integer(300, 1),
  publisherRateLimitCount: integer(1, 1),
  publisherRateLimitTimeout: integer(180),
  monitorTablePollTime: seconds(30),
  remoteDbIp: ip("127.0.0.1"),
  remoteDbPort: port(4001),
  remoteDbHosts: list("$remote_db_ip:$remote_db_port"),
  localIp: ip("127.0.0.1"),
  managementIp: ip("127.0.0.1"),
  nbDbClass: text("etcd_nb_db_driver"),
  enableSelectiveTopologyDistribution: bool(false),
  dbSyncTime: integer(120),
  enableNeutronNotifier: bool(false),
  neutronNotifier: text("nb_api_neutron_notifier_driver"),
  neutronListenerReportInterval: integer(25),
  neutronListenerReportDelay: integer(10),
  reportInterval: integer(25),
  serviceDownTime: integer(80),
  distributedLockTtl: integer(120),

  wireForm: choice("json", "map"),
  syncPeriod: integer(0),
  syncMinInterval: integer(1000),
  syncSpread: integer(0),
  lossGrace: integer(30_000),
  startTimeout: integer(1000),
  settleTime: integer(50),
  heartbeatInterval: integer(5000),
  heartbeatTimeout: integer(10_000),
  handshakeInterval: integer(5000),
  linger: integer(1000, -1),
  publishRetryTimes: integer(5, 1),
  topologyInterval: integer(15_000, 0, 2 ** 31 - 1),
  sendTimeout: integer(5000, -1),
  reconnectInterval: integer(100, 1),
  reconnectMaxInterval: integer(5000),
  maxMessageSize: integer(16 * 1024 * 1024, -1),
  sendHighWaterMark: integer(100_000, 1),
  sendHighWaterMarkBytes: integer(64 * 1024 * 1024, 1),
  overflow: choice("disconnect", "drop"),
  sequenceNumbers: bool(false),
  sequenceInterval: integer(5000, 1),
};

/** `publisherPort` as it stands in a file: `publisher_port`. */
export function fileName(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
