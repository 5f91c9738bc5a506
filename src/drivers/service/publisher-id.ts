import { createHash } from "node:crypto";
import { lookup, lookupService } from "node:dns/promises";
import { hostname } from "node:os";

/** RFC 4122, Appendix C: the name space of fully-qualified domain names. */
const NAMESPACE_DNS = Buffer.from("6ba7b8109dad11d180b400c04fd430c8", "hex");

/**
 * The id of a publisher, the same after every restart, as the last Dragonflow computes it: the uuid5 of
 * `<process name>.<host>` in the DNS name space.
 *
 * @param host the fully-qualified name of this host, see {@link fullyQualifiedName}.
 * @param processName Python's name of the process, which Dragonflow never changes. Empty: the host alone, as in 2016.
 */
export function publisherId(host: string, processName = "MainProcess"): string {
  return uuid5(NAMESPACE_DNS, processName === "" ? host : `${processName}.${host}`);
}

/**
 * The name of this host, as Python's `socket.getfqdn()`: what its address is called, if that has a dot, else the plain host
 * name. Asks the system's resolver; never rejects.
 */
export async function fullyQualifiedName(): Promise<string> {
  const plain = hostname();
  try {
    const { address } = await lookup(plain);
    const { hostname: found } = await lookupService(address, 0);
    return found.includes(".") && found !== address ? found : plain;
  } catch {
    return plain; // a host that the resolver does not know has its own name only
  }
}

/** RFC 4122, "Algorithm for Creating a Name-Based UUID". */
function uuid5(namespace: Uint8Array, name: string): string {
  const id = createHash("sha1").update(namespace).update(name).digest().subarray(0, 16);
  id[6] = (id[6]! & 0x0f) | 0x50;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
