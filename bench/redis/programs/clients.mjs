// The clients that are measured, each through the same few calls. Payloads come as Buffers from all of them.

const OURS = new URL("../../../dist/redis.js", import.meta.url).href;
const HOST = "127.0.0.1";

/** Without it node-redis makes an AbortSignal and a timer for every command. */
const NO_TIMEOUT = { commandOptions: { timeout: 0 } };

async function startIoredis(port, options) {
  const { Redis } = await import("ioredis");
  const client = new Redis({ host: HOST, port, lazyConnect: true, ...options });
  client.on("error", () => {}); // A connection that is killed: what follows is measured.
  await client.connect();
  return client;
}

async function startNodeRedis(port, options) {
  const { createClient } = await import("redis");
  const client = createClient({ socket: { host: HOST, port }, ...options });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** @returns `publish(channel, payload)` */
export async function openPublisher(name, port) {
  const { RedisClient } = name === "zmtp" ? await import(OURS) : {};
  const start = {
    zmtp: async () => {
      const client = new RedisClient({ host: HOST, port });
      await client.connect();
      return client;
    },
    ioredis: () => startIoredis(port),
    "ioredis-auto": () => startIoredis(port, { enableAutoPipelining: true }),
    "node-redis": () => startNodeRedis(port),
    "node-redis-0": () => startNodeRedis(port, NO_TIMEOUT),
  };
  const client = await start[name]();
  return { publish: (channel, payload) => client.publish(channel, payload) };
}

/** @returns `subscribe(channels, onMessage)`, where onMessage is given the payload; resolves when all are confirmed */
export async function openSubscriber(name, port) {
  const start = {
    zmtp: async () => {
      const { RedisSubscriber } = await import(OURS);
      const subscriber = new RedisSubscriber({ host: HOST, port });
      return (channels, onMessage) => subscriber.subscribe(channels, onMessage);
    },
    ioredis: async () => {
      const client = await startIoredis(port);
      return async (channels, onMessage) => {
        client.on("messageBuffer", (_channel, payload) => onMessage(payload));
        await client.subscribe(...channels);
      };
    },
    "node-redis": async () => {
      const client = await startNodeRedis(port);
      return (channels, onMessage) => client.subscribe(channels, onMessage, true);
    },
  };
  return { subscribe: await start[name.replace("-0", "")]() };
}

/** @returns `subscribe(channel, onMessage)`, and `gaps()`: how often the client said that something may be lost */
export async function openClusterSubscriber(name, ports, isSharded) {
  const nodes = ports.map((port) => ({ host: HOST, port }));
  const start = {
    zmtp: async () => {
      const { RedisCluster } = await import(OURS);
      const subscriber = new RedisCluster({ nodes }).subscriber();
      let gaps = 0;
      subscriber.events.on("gap", () => {
        gaps += 1;
      });
      return {
        subscribe: (channel, onMessage) =>
          isSharded ? subscriber.ssubscribe(channel, onMessage) : subscriber.subscribe(channel, onMessage),
        gaps: () => gaps,
      };
    },
    ioredis: async () => {
      const { Cluster } = await import("ioredis");
      const cluster = new Cluster(nodes, { shardedSubscribers: isSharded });
      cluster.on("error", () => {});
      await new Promise((resolve) => cluster.once("ready", resolve));
      return {
        subscribe: async (channel, onMessage) => {
          cluster.on(isSharded ? "smessageBuffer" : "messageBuffer", (_channel, payload) =>
            onMessage(payload),
          );
          await (isSharded ? cluster.ssubscribe(channel) : cluster.subscribe(channel));
        },
        gaps: () => 0,
      };
    },
    "node-redis": async () => {
      const { createCluster } = await import("redis");
      const rootNodes = nodes.map((socket) => ({ socket }));
      const cluster = createCluster({ rootNodes });
      cluster.on("error", () => {});
      await cluster.connect();
      return {
        subscribe: (channel, onMessage) =>
          isSharded
            ? cluster.sSubscribe(channel, onMessage, true)
            : cluster.subscribe(channel, onMessage, true),
        gaps: () => 0,
      };
    },
  };
  return start[name]();
}
