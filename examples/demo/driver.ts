import {
  type PublisherApi,
  RedisPubSub,
  type RedisPubSubOptions,
  type SubscriberApi,
  ZmqPubSub,
  ZmqPubSubMultiproc,
} from "../../src/drivers/index.ts";
import type { Setup } from "./messages.ts";
import { clientName, eventsPath, publisherAddress } from "./scene.ts";

/** ms that `daemonize` may take: on a busy machine the first connection is late, and that is no loss. */
const START_TIMEOUT = 15_000;
/** A server that is killed and started again is waited for: no event is refused. */
const PATIENT = { publishRetryTimes: 1000, reconnectMaxInterval: 200 } as const;

/** A writer's end: to the publisher service, or straight to Redis. */
export function writerEnd(setup: Setup): PublisherApi {
  const { folder, options } = setup;
  const wireForm = options.wire;
  if (options.driver === "redis")
    return new RedisPubSub({ ...redisOptions(setup), ...PATIENT, wireForm }).getPublisher();
  return new ZmqPubSubMultiproc({ publisherMultiprocSocket: eventsPath(folder), wireForm }).getPublisher();
}

/** A controller's end. */
export function controllerEnd(setup: Setup): SubscriberApi {
  if (setup.options.driver === "redis")
    return new RedisPubSub({ ...redisOptions(setup), startTimeout: START_TIMEOUT }).getSubscriber();
  const subscriber = new ZmqPubSub({ startTimeout: START_TIMEOUT }).getSubscriber();
  subscriber.registerListenAddress(publisherAddress(setup.port));
  return subscriber;
}

function redisOptions({ options, port }: Setup): RedisPubSubOptions {
  return {
    remoteDbHosts: [options.redis ?? `127.0.0.1:${port}`],
    connection: { clientName: clientName(port) },
  };
}
