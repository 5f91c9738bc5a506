import { Connection, type ConnectionOptions } from "../../src/zmtp/index.ts";
import { hex, join } from "./hex.ts";
import { drain } from "./link.ts";

/** A good NULL greeting, 64 bytes, of the given version. */
export function greeting(major = 3, minor = 1): Uint8Array {
  const bytes = hex(`ff 00 00 00 00 00 00 00 01 7f 03 01 "NULL" ${"00".repeat(48)}`);
  bytes[10] = major;
  bytes[11] = minor;
  return bytes;
}

/** A READY with nothing but its Socket-Type, as a frame. */
export function ready(socketType: string): Uint8Array {
  const body = join(
    hex('05 "READY" 0B "Socket-Type" 00 00 00'),
    Uint8Array.of(socketType.length),
    hex(`"${socketType}"`),
  );
  return join(Uint8Array.of(4, body.length), body);
}

/** A connection whose peer, of the given type and minor version, has said all that a handshake needs. */
export function connected(
  options: Omit<ConnectionOptions, "now">,
  peerType: string,
  minor: 0 | 1 = 1,
): Connection {
  const connection = new Connection({ now: 0, ...options });
  connection.push(join(greeting(3, minor), ready(peerType)));
  if (drain(connection).length !== 1) throw new Error("the handshake is not complete");
  connection.output();
  return connection;
}
