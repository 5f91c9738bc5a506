import { ZmqError } from "../../errors.ts";
import { formatTcp, parseIpc, parseTcp } from "../../transports/endpoint.ts";

/** Where a server is: a TCP port of a host (a name, IPv4 or IPv6 without brackets), or a Unix socket. */
export type RedisAddress = { host: string; port: number } | { path: string };

/** As transports take it: `tcp://127.0.0.1:6379`, `ipc:///run/redis.sock`. */
export function endpointOf(address: RedisAddress): string {
  return "path" in address ? `ipc://${address.path}` : formatTcp(address.host, address.port);
}

/** @throws {ZmqError} EINVAL for what is no host; ENAMETOOLONG for a path; EPROTONOSUPPORT for one that the system has not. */
export function checkAddress(address: RedisAddress): void {
  const endpoint = endpointOf(address);
  if ("path" in address) {
    parseIpc(endpoint, "connect");
  } else if (parseTcp(endpoint, "connect").source !== null) {
    throw new ZmqError("EINVAL", `"${address.host}" is no host`);
  }
}

/** @throws {ZmqError} EINVAL: what was to be protected would not be. */
export function checkSecurity(address: RedisAddress, isTls: boolean): void {
  if (isTls && "path" in address) throw new ZmqError("EINVAL", "no TLS over a Unix socket");
}

/** For people: `127.0.0.1:6379`, `[::1]:6379`, `/run/redis.sock`. */
export function showAddress(address: RedisAddress): string {
  return endpointOf(address).replace(/^[a-z]+:\/\//, "");
}

export function sameAddress(one: RedisAddress, other: RedisAddress): boolean {
  return endpointOf(one) === endpointOf(other);
}
