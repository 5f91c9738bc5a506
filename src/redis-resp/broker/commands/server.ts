import { bytesOf, keyOf } from "../bytes.ts";
import { type Command, container } from "../command.ts";
import type { Core } from "../core.ts";
import { matchesGlob } from "../glob.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";

/** What the broker says about itself. */
export const SERVER: readonly Command[] = [
  { name: "info", arity: -1, flags: ["loading", "stale"], run: info },
  container("config", [{ name: "config|get", arity: -3, flags: ["admin"], run: getConfig }]),
];

/** INFO [section ...] */
function info({ core, reply }: Session, [, ...names]: readonly Uint8Array[]): void {
  const wanted = new Set(names.map((name) => keyOf(name).toLowerCase()));
  const all = wanted.size === 0 || ["all", "everything", "default"].some((name) => wanted.has(name));
  const sections = Object.entries(describe(core)).filter(([name]) => all || wanted.has(name.toLowerCase()));
  const texts = sections.map(([name, lines]) => {
    const shown = Object.entries(lines).map(([key, value]) => `${key}:${value}\r\n`);
    return `# ${name}\r\n${shown.join("")}`;
  });
  reply.verbatim(texts.join("\r\n"));
}

function describe(core: Core): Record<string, Record<string, string | number>> {
  const { options, counters, store } = core;
  return {
    Server: {
      redis_version: VERSION,
      redis_mode: options.cluster ? "cluster" : "standalone",
      tcp_port: core.address.port,
    },
    Clients: { connected_clients: core.sessions.size, maxclients: options.maxClients },
    Memory: { used_memory: store.bytes, maxmemory: options.maxMemory },
    Persistence: { loading: 0 },
    Stats: {
      total_connections_received: counters.connections,
      total_commands_processed: counters.commands,
      rejected_connections: counters.refused,
      pubsub_channels: core.channels.size,
      pubsub_patterns: core.patterns.size,
      pubsubshard_channels: core.shardChannels.size,
    },
    Replication: { role: "master", connected_slaves: 0 },
    Cluster: { cluster_enabled: options.cluster ? 1 : 0 },
    Keyspace: Object.fromEntries(
      store.databases.flatMap(({ size, expiring }, number) =>
        size > 0 ? [[`db${number}`, `keys=${size},expires=${expiring},avg_ttl=0`]] : [],
      ),
    ),
  };
}

/** CONFIG GET pattern [pattern ...] */
function getConfig({ core, reply }: Session, [, , ...patterns]: readonly Uint8Array[]): void {
  const lowered = patterns.map((pattern) => bytesOf(keyOf(pattern).toLowerCase()));
  const found = Object.entries(settings(core)).filter(([name]) =>
    lowered.some((pattern) => matchesGlob(pattern, bytesOf(name))),
  );
  reply.map(found.length);
  for (const [name, value] of found) {
    reply.text(name);
    reply.text(value);
  }
}

/** The server's names for what the broker has as options, and for what it never does. */
function settings({ options, store, address }: Core): Record<string, string> {
  const { maxOutput, softOutput, softOutputTime } = options;
  return {
    save: "",
    appendonly: "no",
    "notify-keyspace-events": "",
    databases: String(store.databases.length),
    port: String(address.port),
    maxclients: String(options.maxClients),
    maxmemory: String(options.maxMemory),
    "proto-max-bulk-len": String(options.maxBulk),
    "client-query-buffer-limit": String(options.maxQueryBuffer),
    "client-output-buffer-limit": `pubsub ${maxOutput} ${softOutput} ${Math.round(softOutputTime / 1000)}`,
    "cluster-enabled": options.cluster ? "yes" : "no",
  };
}
