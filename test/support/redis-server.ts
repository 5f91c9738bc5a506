/** Real Redis servers of one's own for tests: `await using redis = await startRedis()`. */

export { redisCli } from "./redis/cli.ts";
export { type RedisClusterOptions, RedisClusterServers, startRedisCluster } from "./redis/cluster.ts";
export {
  type RedisSentinelOptions,
  RedisSentinelServers,
  type Sentinel,
  startRedisSentinel,
} from "./redis/sentinel.ts";
export { RedisServer, type RedisServerOptions, startRedis } from "./redis/server.ts";
export type { TlsFiles } from "./redis/tls.ts";
export { describeWithRedis, useRedis } from "./redis/with-redis.ts";
