/**
 * Bytes spelled by hand: two hex digits are one octet, `'text'` its ASCII, `00*9` nine of them. `G` stands for a good ZMTP
 * 3.1 NULL greeting, `G0` for a 3.0 one, and `R-PUSH` for the READY command of a PUSH socket that gives nothing but
 * its type.
 */
export function bytes(spelled: string): Buffer {
  const parts: Buffer[] = [];
  for (const [token, quoted, octet, times, type] of spelled.matchAll(TOKEN)) {
    if (quoted !== undefined) parts.push(Buffer.from(quoted, "latin1"));
    else if (octet !== undefined) parts.push(Buffer.alloc(Number(times ?? 1), Buffer.from(octet, "hex")));
    else if (type !== undefined) parts.push(ready(type));
    else parts.push(token === "G" ? GREETING_3_1 : GREETING_3_0);
  }
  const left = spelled.replace(TOKEN, "").trim();
  if (left !== "") throw new Error(`no bytes: ${left}`);
  return Buffer.concat(parts);
}

const TOKEN = /'([^']*)'|\b([0-9A-F]{2})(?:\*(\d+))?(?![\w*])|\bR-([A-Z]+)\b|\bG0?\b/g;

/** RFC 37, "Formal Grammar": signature, version, mechanism, as-server, filler. */
export const GREETING_3_1: Buffer = bytes("FF 00*8 7F 03 01 'NULL' 00*16 00 00*31");
/** RFC 23, "Formal Grammar". */
export const GREETING_3_0: Buffer = bytes("FF 00*8 7F 03 00 'NULL' 00*16 00 00*31");

/** RFC 37, "The NULL Security Mechanism": a short READY command with one property. */
export function ready(socketType: string): Buffer {
  const size = 6 + 1 + 11 + 4 + socketType.length;
  return Buffer.concat([
    Buffer.from([0x04, size, 0x05]),
    Buffer.from("READY"),
    Buffer.from([11]),
    Buffer.from("Socket-Type"),
    Buffer.from([0, 0, 0, socketType.length]),
    Buffer.from(socketType),
  ]);
}

/** One frame as received. */
export interface RawFrame {
  flags: number;
  body: Buffer;
}

/** The frame at the start of the bytes and how many of them it took; null when it is not complete. */
export function frameAt(received: Buffer): { frame: RawFrame; size: number } | null {
  if (received.length < 2) return null;
  const flags = received[0]!;
  const long = (flags & 0x02) !== 0;
  const start = long ? 9 : 2;
  if (received.length < start) return null;
  const size = long ? Number(received.readBigUInt64BE(1)) : received[1]!;
  if (received.length < start + size) return null;
  return { frame: { flags, body: received.subarray(start, start + size) }, size: start + size };
}
