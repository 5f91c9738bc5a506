import { nodeContext } from "../../node.ts";
import type { PubSubApi } from "../driver/api.ts";
import { type RedisPubSubOptions, resolveRedisOptions } from "./redis-options.ts";
import { RedisPublisher } from "./redis-publisher.ts";
import { RedisSubscriber } from "./redis-subscriber.ts";

/**
 * Between hosts, through a Redis server or cluster: topics are channels. Writers and controllers find it by `remoteDbHosts`, or
 * `remoteDbIp` and `remoteDbPort`; of a cluster each talks to some master.
 *
 * @throws {ConfigError} EINVAL for a bad option; {UnknownOptionError} for one that does not exist.
 */
export class RedisPubSub implements PubSubApi {
  readonly #publisher: RedisPublisher;
  readonly #subscriber: RedisSubscriber;

  constructor(given: RedisPubSubOptions = {}) {
    const options = resolveRedisOptions(given);
    const context = given.context ?? nodeContext();
    this.#publisher = new RedisPublisher(options, context);
    this.#subscriber = new RedisSubscriber(options, context);
  }

  /** Always the same one. */
  getPublisher(): RedisPublisher {
    return this.#publisher;
  }

  /** Always the same one. */
  getSubscriber(): RedisSubscriber {
    return this.#subscriber;
  }
}
