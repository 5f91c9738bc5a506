import { afterAll, beforeAll, describe } from "vitest";
import { probe, requirePeer } from "../peers.ts";

const BINARIES = ["/usr/bin/redis-server", "/usr/bin/redis-cli"] as const;
const redis: string | null = BINARIES.every((binary) => probe(binary, ["--version"])) ? BINARIES[0] : null;

/** A `describe` whose tests need redis-server and redis-cli. Where they are missing they are skipped, their names still
 * listed; with `CI=true` that is an error instead. */
export function describeWithRedis(name: string, body: () => void): void {
  requirePeer(redis, "redis-server");
  describe.skipIf(redis === null)(name, body);
}

/**
 * Servers for all tests of a `describe`: `const redis = useRedis(() => startRedis({ tls: true }))`, then `redis().port`
 * in a test.
 */
export function useRedis<T extends { stop(): Promise<void> }>(start: () => Promise<T>): () => T {
  let started: T | null = null;
  beforeAll(async () => {
    started = await start();
  });
  afterAll(() => started?.stop());
  return () => started!;
}
