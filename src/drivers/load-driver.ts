import { ZmqError } from "../errors.ts";
import { nearestName } from "./config/option-names.ts";
import type { PubSubApi } from "./driver/api.ts";
import { RedisPubSub } from "./redis/redis.ts";
import type { RedisPubSubOptions } from "./redis/redis-options.ts";
import { ZmqPubSub, ZmqPubSubBind, ZmqPubSubConnect, ZmqPubSubMultiproc } from "./zmq/zmq.ts";

export type DriverAlias =
  | "zmq_pubsub_driver"
  | "zmq_pubsub_multiproc_driver"
  | "zmq_bind_pubsub_driver"
  | "zmq_connect_pubsub_driver"
  | "redis_db_pubsub_driver";

/** By the names that Dragonflow's configuration has for them. */
const DRIVERS: Readonly<Record<DriverAlias, new (options: RedisPubSubOptions) => PubSubApi>> = {
  zmq_pubsub_driver: ZmqPubSub,
  zmq_pubsub_multiproc_driver: ZmqPubSubMultiproc,
  zmq_bind_pubsub_driver: ZmqPubSubBind,
  zmq_connect_pubsub_driver: ZmqPubSubConnect,
  redis_db_pubsub_driver: RedisPubSub,
};

/**
 * Makes a driver; each call a new one.
 *
 * @param driver an alias as in Dragonflow's configuration, or a constructor of one's own.
 * @param options given to the constructor.
 * @throws {ZmqError} EINVAL for an alias that is not known, naming those that are. @throws as the constructor.
 */
export function loadDriver(driver: DriverAlias | (string & {}), options?: RedisPubSubOptions): PubSubApi;
export function loadDriver<Options, Driver extends PubSubApi>(
  driver: new (options: Options) => Driver,
  options: Options,
): Driver;
export function loadDriver(driver: unknown, options: unknown = {}): PubSubApi {
  if (typeof driver === "function") return new (driver as new (options: unknown) => PubSubApi)(options);
  if (typeof driver !== "string") throw new TypeError("Driver must be an alias or a constructor");
  if (Object.hasOwn(DRIVERS, driver))
    return new DRIVERS[driver as DriverAlias](options as RedisPubSubOptions);
  const names = Object.keys(DRIVERS);
  const nearest = nearestName(driver, names);
  const hint = nearest === null ? "" : ` (did you mean ${nearest}?)`;
  throw new ZmqError("EINVAL", `Unknown driver ${driver}${hint}; known are ${names.join(", ")}`);
}
