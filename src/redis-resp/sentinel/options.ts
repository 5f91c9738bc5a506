import { ZmqError } from "../../errors.ts";
import { resolveNodes } from "../cluster/options.ts";
import type { NodeAddress } from "../cluster/topology.ts";
import { type ConnectionOptions, resolveSettings, type Settings } from "../connection/options.ts";

/** Who watches over which master, and how the master is spoken to. */
export interface SentinelOptions extends ConnectionOptions {
  /** Some of the sentinels: the others are learnt from any of them. A host is `127.0.0.1` and a port 26379 unless given. */
  sentinels: readonly { host?: string; port?: number }[];
  /** What they call the master, as `mymaster`. */
  name: string;
  /** How the sentinels are spoken to; they have users and TLS of their own. */
  sentinelOptions?: ConnectionOptions;
}

export interface SentinelSettings {
  readonly sentinels: readonly NodeAddress[];
  readonly name: string;
  /** Of the sentinels. */
  readonly watcher: ConnectionOptions;
  readonly watcherSettings: Settings;
  /** Of the master. */
  readonly master: ConnectionOptions;
  readonly masterSettings: Settings;
}

/** @throws {ZmqError} EINVAL; {TypeError}. */
export function resolveSentinelOptions(options: SentinelOptions): SentinelSettings {
  const masterSettings = resolveSettings(options, ["sentinels", "name", "sentinelOptions"]);
  const { sentinels, name, sentinelOptions = {}, ...master } = options;
  if (typeof name !== "string") throw new TypeError("name must be a string");
  if (name === "") throw new ZmqError("EINVAL", "name must not be empty");
  return {
    sentinels: resolveNodes("sentinels", sentinels, 26_379),
    name,
    watcher: sentinelOptions,
    watcherSettings: resolveSettings(sentinelOptions),
    master,
    masterSettings,
  };
}
