import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { RedisVersions } from "../results.ts";

export function redisVersions(): RedisVersions {
  const said = execFileSync("/usr/bin/redis-server", ["--version"], { encoding: "utf8" });
  const server = /v=(\S+)/.exec(said)?.[1] ?? "unknown";
  return { server, ioredis: versionOf("ioredis"), nodeRedis: versionOf("redis") };
}

/** Some packages do not export their manifest: it lies beside their entry, or above. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); ; folder = dirname(folder)) {
    if (!folder.endsWith(`node_modules/${name}`)) continue;
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    return version;
  }
}
