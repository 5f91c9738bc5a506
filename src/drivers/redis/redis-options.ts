import { checkNames, resolveSettings } from "../../redis-resp/connection/options.ts";
import type { ConnectionOptions } from "../../redis-resp/index.ts";
import type { Config } from "../config/config.ts";
import { type DriverOptions, resolveDriverOptions } from "../driver/driver-options.ts";
import type { OnError } from "../driver/reporter.ts";
import { type NodeAddress, parseHosts } from "./node-address.ts";

const CONNECTION = ["tls", "username", "password", "credentials", "db", "protocol", "clientName"] as const;

/** How a connection is made, in as far as no configuration says it. */
export type RedisConnection = Pick<ConnectionOptions, (typeof CONNECTION)[number]>;

/** Options of the Redis driver: a configuration, of which it uses what concerns it, and what no file can hold. */
export interface RedisPubSubOptions extends DriverOptions {
  /** Who we are to the server, TLS, the database. */
  connection?: RedisConnection;
}

/** What the ends of the driver need. */
export interface ResolvedRedisOptions extends Config {
  readonly onError?: OnError;
  readonly hosts: readonly NodeAddress[];
  readonly connection: ConnectionOptions;
}

/** As long as a timer can be. */
const LONGEST = 2 ** 31 - 1;

/**
 * @throws as {@link resolveDriverOptions}; {@link ConfigError} EINVAL for what is no `host:port`; as
 * {@link resolveSettings} for `connection`.
 */
export function resolveRedisOptions(given: RedisPubSubOptions): ResolvedRedisOptions {
  if (typeof given !== "object" || given === null) throw new TypeError("Options must be an object");
  const { connection = {}, ...rest } = given;
  const options = resolveDriverOptions(rest);
  checkNames(connection, CONNECTION);
  const settings = { ...connection, ...keeping(options) };
  resolveSettings(settings);
  return { ...options, hosts: parseHosts(options.remoteDbHosts), connection: settings };
}

/** How a connection is kept, as the configuration says it. */
function keeping(options: Config): ConnectionOptions {
  const { reconnectInterval, maxMessageSize } = options;
  return {
    connectTimeout: options.handshakeInterval || LONGEST,
    pingInterval: options.heartbeatInterval,
    pingTimeout: options.heartbeatTimeout || LONGEST,
    reconnectInterval,
    reconnectMaxInterval: Math.max(reconnectInterval, options.reconnectMaxInterval),
    ...(maxMessageSize >= 0 && { maxBulk: maxMessageSize }),
  };
}
