import { isIPv6 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { ZmqError } from "../errors.ts";

/**
 * The address of a network interface: its first IPv4 one or, with `ipv6`, its first IPv6 one if it has any.
 * A link-local address, taken only when there is no other, carries its zone. Null when there is no such interface.
 */
export function interfaceAddress(
  name: string,
  ipv6: boolean,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces(),
): string | null {
  const infos = Object.hasOwn(interfaces, name) ? (interfaces[name] ?? []) : [];
  const v4 = infos.find((info) => info.family === "IPv4")?.address ?? null;
  if (!ipv6) return v4;
  const v6 = infos.filter((info) => info.family === "IPv6").map((info) => info.address);
  const routable = v6.find((address) => !/^fe[89ab]/i.test(address));
  return routable ?? v4 ?? (v6[0] ? `${v6[0]}%${name}` : null);
}

/**
 * Checks a numeric address against the machine and the options.
 * @throws {ZmqError} ENODEV for IPv6 while it is off; EINVAL for a zone that does not exist, which the system does
 * not always mind.
 */
export function assertUsable(host: string, ipv6: boolean, address: string): void {
  if (!isIPv6(host)) return;
  if (!ipv6)
    throw new ZmqError("ENODEV", `No such device: IPv6 is off (option ipv6), ${address}`, { address });
  const zone = host.split("%")[1];
  if (zone === undefined || /^\d+$/.test(zone) || Object.hasOwn(networkInterfaces(), zone)) return;
  throw new ZmqError("EINVAL", `Invalid argument: there is no zone "${zone}" (${address})`, { address });
}
