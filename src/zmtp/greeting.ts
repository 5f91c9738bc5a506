/**
 * RFC 37, "Version Negotiation":
 *
 *     greeting  = signature version mechanism as-server filler      64 octets
 *     signature = %xFF padding %x7F                                  10: padding is 8 octets that mean nothing
 *     version   = major minor                                        2
 *     mechanism = 20 octets, ASCII, filled up with zeros             20
 *     as-server = %x00 / %x01                                        1
 *     filler    = 31 zero octets
 */
import { ProtocolError } from "../errors.ts";

export const GREETING_SIZE = 64;
const MECHANISM_AT = 12;
const MECHANISM_SIZE = 20;
const AS_SERVER_AT = 32;

const RULE = "RFC 37, Version Negotiation";

export interface Greeting {
  /** As announced. */
  version: [number, number];
  /** The name without its padding; octets that are no ASCII appear as Latin-1. */
  mechanism: string;
  asServer: boolean;
}

/**
 * Our greeting, 64 bytes, version 3.1.
 *
 * The padding is 1 as a 64-bit number, as libzmq has it: to a ZMTP 1.0 peer the signature then is the header of a one-byte frame.
 */
export function encodeGreeting(mechanism: string, asServer: boolean): Uint8Array {
  const greeting = new Uint8Array(GREETING_SIZE);
  greeting[0] = 0xff;
  greeting[8] = 1;
  greeting[9] = 0x7f;
  greeting[10] = 3;
  greeting[11] = 1;
  for (let i = 0; i < mechanism.length; i++) greeting[MECHANISM_AT + i] = mechanism.charCodeAt(i);
  greeting[AS_SERVER_AT] = asServer ? 1 : 0;
  return greeting;
}

/**
 * Reads a greeting of 64 bytes. Padding, filler, as-server and higher versions are taken as they come.
 *
 * @throws {ProtocolError} `ERR_ZMTP_VERSION` for ZMTP 1.0 and 2.0, `ERR_ZMTP_GREETING` for fewer bytes.
 */
export function parseGreeting(bytes: Uint8Array): Greeting {
  const reader = new GreetingReader();
  for (let i = 0; i < Math.min(bytes.length, GREETING_SIZE); i++) {
    const greeting = reader.read(bytes[i] as number);
    if (greeting !== null) return greeting;
  }
  throw new ProtocolError("ERR_ZMTP_GREETING", RULE, `greeting of ${bytes.length} bytes, 64 are needed`);
}

/** Reads a greeting byte by byte, and refuses a foreign version at the first byte that shows it. */
export class GreetingReader {
  readonly #bytes = new Uint8Array(GREETING_SIZE);
  #filled = 0;

  /** @returns the greeting with its last byte, before that `null`. @throws {ProtocolError} `ERR_ZMTP_VERSION` */
  read(byte: number): Greeting | null {
    checkVersion(this.#filled, byte);
    this.#bytes[this.#filled++] = byte;
    if (this.#filled < GREETING_SIZE) return null;
    return {
      version: [this.#bytes[10] as number, this.#bytes[11] as number],
      mechanism: mechanismName(this.#bytes.subarray(MECHANISM_AT, MECHANISM_AT + MECHANISM_SIZE)),
      asServer: this.#bytes[AS_SERVER_AT] === 1,
    };
  }
}

/** The peer knows ZMTP 3.1: its commands SUBSCRIBE, CANCEL and PING. libzmq counts a major version of 2 as 3.1. */
export function isVersion31(version: readonly [number, number]): boolean {
  return version[0] !== 3 || version[1] !== 0;
}

/** RFC 37, "Version Negotiation": how to detect and interoperate with ZMTP 1.0 and 2.0 (or here: how not to). */
function checkVersion(at: number, byte: number): void {
  if (at === 0 && byte !== 0xff) {
    refuse(`the peer speaks ZMTP 1.0 or no ZMTP at all: its first byte is ${hex(byte)}`);
  }
  if (at === 9 && (byte & 1) === 0) {
    refuse(`the peer speaks ZMTP 1.0: the last byte of its signature is ${hex(byte)}`);
  }
  if (at === 10 && byte === 0) refuse("the peer speaks ZMTP 1.0: its revision is 0");
  if (at === 10 && byte === 1) refuse("the peer speaks ZMTP 2.0: its revision is 1");
}

function refuse(message: string): never {
  throw new ProtocolError("ERR_ZMTP_VERSION", RULE, message);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** Only zeros at the end are padding, so that no two different fields give the same name. */
function mechanismName(field: Uint8Array): string {
  let end = field.length;
  while (end > 0 && field[end - 1] === 0) end--;
  return String.fromCharCode(...field.subarray(0, end));
}
