/**
 * RFC 37, "Connection Metadata":
 *
 *     metadata = *property
 *     property = name value
 *     name     = 1 octet of size, 1 to 255 of: letter, digit, "-", "_", ".", "+"; case does not matter
 *     value    = 4 octets of size in network order, 0 to 2^31-1 octets
 */
import { ProtocolError, ZmqError } from "../errors.ts";
import { quoted } from "./printable.ts";

const RULE = "RFC 37, Connection Metadata";
const NAME = /^[A-Za-z0-9\-_.+]{1,255}$/;

export type Property = readonly [name: string, value: Uint8Array];

/** @throws {ZmqError} EINVAL for a name that the grammar does not allow. */
export function encodeMetadata(properties: readonly Property[]): Uint8Array {
  let size = 0;
  for (const [name, value] of properties) size += 1 + name.length + 4 + value.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [name, value] of properties) {
    if (!NAME.test(name)) throw new ZmqError("EINVAL", `Invalid metadata name: ${JSON.stringify(name)}`);
    bytes[at++] = name.length;
    for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i);
    view.setUint32(at, value.length);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

/**
 * The properties in their order, duplicates included, names as they were spelled. Values are views into `bytes`.
 *
 * @throws {ProtocolError} `ERR_ZMTP_INVALID_METADATA` for a truncated block and an empty or ill-formed name.
 */
export function parseMetadata(bytes: Uint8Array): Property[] {
  const properties: Property[] = [];
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] as number);
    if (nameEnd + 4 > bytes.length) throw invalid("a property runs past the end");
    const name = String.fromCharCode(...bytes.subarray(at + 1, nameEnd));
    if (!NAME.test(name)) throw invalid(`ill-formed property name ${quoted(name)}`);
    const valueEnd = nameEnd + 4 + readUint32(bytes, nameEnd);
    if (valueEnd > bytes.length) throw invalid(`the value of ${name} runs past the end`);
    properties.push([name, bytes.subarray(nameEnd + 4, valueEnd)]);
    at = valueEnd;
  }
  return properties;
}

function readUint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at);
}

function invalid(message: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_INVALID_METADATA", RULE, message);
}
