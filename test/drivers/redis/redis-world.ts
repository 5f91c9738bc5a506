import { type PublisherApi, RedisPubSub, type RedisPubSubOptions } from "../../../src/drivers/index.ts";
import type { Controller, World } from "../world.ts";

/** Somewhere to connect to: a server, a broker. */
export type Where = { readonly port: number };

/** Short enough for tests, long enough for a busy machine. */
export const QUICK_REDIS: RedisPubSubOptions = {
  syncMinInterval: 200,
  startTimeout: 10_000,
  reconnectInterval: 20,
  reconnectMaxInterval: 100,
};

/** The ends of the Redis driver in a world, at one or more servers. */
export class RedisWorld {
  readonly #world: World;
  readonly #at: () => RedisPubSubOptions;

  constructor(world: World, where: () => Where | readonly Where[]) {
    this.#world = world;
    this.#at = () => ({
      ...QUICK_REDIS,
      remoteDbHosts: [where()].flat().map(({ port }) => `127.0.0.1:${port}`),
    });
  }

  controller(options: RedisPubSubOptions = {}): Controller {
    return this.#world.controllerOf((onError) =>
      new RedisPubSub({ ...this.#at(), onError, ...options }).getSubscriber(),
    );
  }

  writer(options: RedisPubSubOptions = {}): PublisherApi {
    const writer = new RedisPubSub({
      ...this.#at(),
      linger: 0,
      onError: () => {},
      ...options,
    }).getPublisher();
    this.#world.onEnd(() => writer.close());
    return writer;
  }
}
