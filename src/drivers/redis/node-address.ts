import { isIPv6 } from "node:net";
import { ConfigError } from "../errors.ts";

/** Where a Redis server is: a name, IPv4, or IPv6 without brackets. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:6379`, `[::1]:6379`: one text for one address. */
export function nameOf({ host, port }: NodeAddress): string {
  return isIPv6(host) ? `[${host.toLowerCase()}]:${port}` : `${host.toLowerCase()}:${port}`;
}

/**
 * `host:port`, as in remote_db_hosts and in CLUSTER NODES, where `@cport` and a host name may follow. IPv6 with or without
 * brackets: the last colon stands before the port.
 *
 * @returns null for what is none.
 */
export function parseAddress(text: string): NodeAddress | null {
  const [, bare = "", digits = ""] = /^(.+):(\d{1,5})(?:@\d+)?(?:,.*)?$/.exec(text.trim()) ?? [];
  const host = bare.replace(/^\[(.*)\]$/, "$1");
  const port = Number(digits);
  const isHost = isIPv6(host) || !/[:[\]\s,@]/.test(host);
  return isHost && host !== "" && port > 0 && port < 65_536 ? { host, port } : null;
}

/** @throws {ConfigError} EINVAL, naming remoteDbHosts. */
export function parseHosts(hosts: readonly string[]): NodeAddress[] {
  if (hosts.length === 0) throw new ConfigError("remoteDbHosts", "remoteDbHosts is empty");
  return hosts.map((text) => {
    const address = parseAddress(text);
    if (address === null) throw new ConfigError("remoteDbHosts", `remoteDbHosts: ${text} is no host:port`);
    return address;
  });
}
