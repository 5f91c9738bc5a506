import { lookup as dnsLookup } from "node:dns";

/** Resolves a host name to all its addresses: IPv4 only, or both families (0), in the order to try them. */
export type Lookup = (
  host: string,
  family: 0 | 4,
  callback: (error: Error | null, addresses: readonly { address: string }[]) => void,
) => void;

/** The system's own resolver, hosts file included. */
export const systemLookup: Lookup = (host, family, callback) => {
  dnsLookup(host, { all: true, family, verbatim: true }, callback);
};
