import { ProtocolError } from "../errors.ts";
import type { Allocate } from "./byte-queue.ts";
import { parseMetadata } from "./metadata.ts";
import { quoted } from "./printable.ts";
import { isCompatible, isSocketType, type SocketType } from "./socket-type.ts";

/** What the peer said of itself in the handshake. */
export interface PeerInfo {
  socketType: SocketType;
  /** Its Identity; empty when it gave none. */
  routingId: Uint8Array;
  /** Its properties, names as the peer spelled them; of a name given twice the first value. */
  properties: Map<string, Uint8Array>;
  /** The version that it announced. */
  version: [number, number];
}

/**
 * Reads and checks the peer's metadata. The values are copied, for they live as long as the connection.
 *
 * @throws {ProtocolError} `ERR_ZMTP_INVALID_METADATA`; `ERR_ZMTP_SOCKET_TYPE` when the Socket-Type is missing, unknown, or
 *   none that `ours` may talk to.
 */
export function readPeerInfo(
  metadata: Uint8Array,
  ours: SocketType,
  version: [number, number],
  allocate: Allocate,
): PeerInfo {
  let socketType: SocketType | null = null;
  let routingId = allocate(0);
  const properties = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  for (const [name, view] of parseMetadata(metadata)) {
    const value = allocate(view.length);
    value.set(view);
    const canonical = name.toLowerCase();
    if (canonical === "socket-type") socketType = checkSocketType(value, ours);
    if (canonical === "identity") routingId = checkIdentity(value);
    if (!seen.has(canonical)) properties.set(name, value);
    seen.add(canonical);
  }
  if (socketType === null) throw unacceptable("the peer gives no Socket-Type");
  return { socketType, routingId, properties, version };
}

function checkSocketType(value: Uint8Array, ours: SocketType): SocketType {
  const name = String.fromCharCode(...value.subarray(0, 255));
  if (!isSocketType(name)) throw unacceptable(`unknown Socket-Type ${quoted(name)}`);
  if (!isCompatible(ours, name)) throw unacceptable(`Socket-Type ${name} cannot talk to ${ours}`);
  return name;
}

function checkIdentity(value: Uint8Array): Uint8Array {
  if (value.length <= 255) return value;
  const message = `Identity of ${value.length} bytes, at most 255 are allowed`;
  throw new ProtocolError("ERR_ZMTP_INVALID_METADATA", "RFC 37, The Identity Property", message);
}

function unacceptable(message: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_SOCKET_TYPE", "RFC 37, The Socket-Type Property", message);
}
