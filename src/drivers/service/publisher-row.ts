import { ZmqError } from "../../errors.ts";

/** The table in which publishers announce themselves. */
export const PUBLISHER_TABLE = "publisher";

/** A row of the table `publisher`, which stands there as JSON under its id. */
export interface PublisherRow {
  readonly id: string;
  /** Where subscribers connect to, e.g. `tcp://10.0.0.1:8866`. */
  readonly uri: string;
  /** Unix time in seconds, with a fraction. */
  readonly last_activity_timestamp: number;
}

/** What the address of a publisher is made of, as it is configured. */
export interface PublisherAddress {
  readonly publisherTransport: string;
  readonly publisherBindAddress: string;
  readonly publisherPort: number;
  readonly localIp: string;
}

/** What the addresses of all publishers are made of, as they are configured. */
export interface PublisherAddresses {
  readonly publisherTransport: string;
  readonly publishersIps: readonly string[];
  readonly publisherPort: number;
}

/** Addresses that only mean something on the host that binds them. */
const NOT_FOR_OTHERS = ["*", "127.0.0.1", "0.0.0.0", "::", "[::]"];

/** Where others find the publisher that is bound to this address: `local_ip` stands in for what is no address to them. */
export function publisherUri(address: PublisherAddress): string {
  const { publisherTransport, publisherBindAddress, publisherPort, localIp } = address;
  const ip = NOT_FOR_OTHERS.includes(publisherBindAddress) ? localIp : publisherBindAddress;
  return `${publisherTransport}://${host(ip)}:${publisherPort}`;
}

/** Where the publishers of `publishers_ips` are, each once. */
export function configuredAddresses(config: PublisherAddresses): string[] {
  const { publisherTransport, publishersIps, publisherPort } = config;
  return [...new Set(publishersIps.map((ip) => `${publisherTransport}://${host(ip)}:${publisherPort}`))];
}

/** An IPv6 address stands in brackets before a port. */
function host(ip: string): string {
  return ip.includes(":") && !ip.startsWith("[") ? `[${ip}]` : ip;
}

/**
 * @param key the id under which the row stands.
 * @throws {ZmqError} EINVAL when it is no publisher.
 */
export function parsePublisherRow(key: string, row: unknown): PublisherRow {
  try {
    const fields: unknown = typeof row === "string" ? JSON.parse(row) : row;
    const { uri, last_activity_timestamp } = fields as Record<string, unknown>;
    if (typeof uri !== "string") throw new TypeError("uri is no text");
    if (typeof last_activity_timestamp !== "number")
      throw new TypeError("last_activity_timestamp is no number");
    return { id: key, uri, last_activity_timestamp };
  } catch (cause) {
    throw new ZmqError("EINVAL", `row ${key} of table publisher is no publisher`, { cause });
  }
}
