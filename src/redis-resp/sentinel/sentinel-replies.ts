import { readArray, readMap, readPort, readText, unreadable } from "../cluster/reply.ts";
import type { NodeAddress } from "../cluster/topology.ts";
import type { RespValue, TextValue } from "../protocol/values.ts";
import { asText } from "../protocol/values.ts";

/** `SENTINEL GET-MASTER-ADDR-BY-NAME`: host and port, null for a name that is not known. @throws {ZmqError} EPROTO. */
export function readMaster(reply: RespValue): NodeAddress | null {
  if (reply === null) return null;
  const command = "SENTINEL GET-MASTER-ADDR-BY-NAME";
  const [host, port] = readArray(command, asText(reply));
  return readAddress(host, port) ?? fail(command);
}

/** `SENTINEL SENTINELS`: of each a map, or in RESP2 its keys and values in turn. Those without an address are left out. */
export function readSentinels(reply: RespValue): NodeAddress[] {
  const command = "SENTINEL SENTINELS";
  return readArray(command, asText(reply)).flatMap((sentinel) => {
    const fields = readMap(command, sentinel);
    return readAddress(fields.get("ip"), fields.get("port")) ?? [];
  });
}

/** `ROLE`: an array that begins with `master`, `slave` or `sentinel`. @throws {ZmqError} EPROTO. */
export function readRole(reply: RespValue): string {
  return readText(readArray("ROLE", asText(reply))[0]);
}

/** What `+switch-master` brings: `name old-host old-port new-host new-port`. Null for anything else. */
export function readSwitch(text: string): { name: string; address: NodeAddress } | null {
  const [name = "", , , host, port] = text.split(" ");
  const address = readAddress(host, port);
  return address === null ? null : { name, address };
}

function readAddress(host: TextValue | undefined, port: TextValue | undefined): NodeAddress | null {
  const name = readText(host);
  const number = readPort(port);
  return name === "" || number === null ? null : { host: name, port: number };
}

function fail(command: string): never {
  throw unreadable(command, "no address");
}
