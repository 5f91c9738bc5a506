/** Hash slots of a cluster: 0 to 16383. */
export const SLOTS = 16384;

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** CRC16 of each octet, polynomial 0x1021, most significant bit first. */
const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, octet) => {
  let crc = octet << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

const UTF8 = new TextEncoder();

/**
 * The slot of a key or of a sharded channel: CRC16 (XMODEM) modulo 16384 of its hash tag, or of all of it where it has none.
 * @param key text is hashed as UTF-8. Redis cluster specification, "Key distribution model", "Hash tags".
 */
export function slotOf(key: string | Uint8Array): number {
  const bytes = typeof key === "string" ? UTF8.encode(key) : key;
  const open = bytes.indexOf(OPEN);
  const close = open < 0 ? -1 : bytes.indexOf(CLOSE, open + 1);
  // An empty tag is none: a key that starts with {} is hashed as a whole.
  if (close <= open + 1) return crc16(bytes, 0, bytes.length) % SLOTS;
  return crc16(bytes, open + 1, close) % SLOTS;
}

/** CRC16, variant XMODEM: initial value 0, nothing reflected, no final XOR. */
function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}
