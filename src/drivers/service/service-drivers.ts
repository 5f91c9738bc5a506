import { ZmqError } from "../../errors.ts";
import type { Context } from "../../sockets/index.ts";
import type { Config } from "../config/config.ts";
import type { PublisherApi, PubSubApi, SubscriberApi } from "../driver/api.ts";
import type { OnError } from "../driver/reporter.ts";
import { ConfigError } from "../errors.ts";
import { loadDriver } from "../load-driver.ts";

/** The last Dragonflow's driver for the service alone: both ends in one. */
const BOTH_ENDS = "zmq_bind_pubsub_driver";
/** Drivers whose publisher reaches no further than this host. */
const WITHIN_THE_HOST = ["zmq_connect_pubsub_driver", "zmq_pubsub_multiproc_driver"];

export interface ServiceEnds {
  publisher: PublisherApi;
  /** null: the service hears nobody. */
  subscriber: SubscriberApi | null;
}

/**
 * The ends of a publisher service: those that are given, and for the rest those that the configuration names.
 *
 * @throws {ConfigError} EINVAL: a driver that cannot serve. @throws as {@link loadDriver}.
 */
export function serviceEnds(
  config: Config,
  given: Partial<ServiceEnds>,
  onError: OnError,
  context: Context,
): ServiceEnds {
  const load = (alias: string): PubSubApi => known(() => loadDriver(alias, { ...config, onError, context }));
  const publisher = given.publisher ?? load(networkDriver(config)).getPublisher();
  if (given.subscriber !== undefined) return { publisher, subscriber: given.subscriber };
  const both = config.pubSubDriver === BOTH_ENDS;
  if (!both && !config.pubSubUseMultiproc) return { publisher, subscriber: null };
  return { publisher, subscriber: load(both ? BOTH_ENDS : writersDriver(config)).getSubscriber() };
}

/** An alias that nobody knows can only be that of pub_sub_driver: the other one's are checked. */
function known<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ZmqError) || error.name !== "ZmqError") throw error;
    throw new ConfigError("pub_sub_driver", `pub_sub_driver: ${error.message}`, { cause: error });
  }
}

function networkDriver({ pubSubDriver }: Config): string {
  if (!WITHIN_THE_HOST.includes(pubSubDriver)) return pubSubDriver;
  throw new ConfigError(
    "pub_sub_driver",
    `pub_sub_driver is ${pubSubDriver}, which publishes within the host; the service needs ${BOTH_ENDS} or zmq_pubsub_driver`,
  );
}

function writersDriver({ pubSubMultiprocDriver }: Config): string {
  if (pubSubMultiprocDriver === BOTH_ENDS || pubSubMultiprocDriver === "zmq_pubsub_multiproc_driver")
    return pubSubMultiprocDriver;
  throw new ConfigError(
    "pub_sub_multiproc_driver",
    `pub_sub_multiproc_driver is ${pubSubMultiprocDriver}; the service needs zmq_pubsub_multiproc_driver`,
  );
}
