import fc from "fast-check";
import { encodeGreeting, type ProtocolErrorCode } from "../../src/zmtp/index.ts";
import { bytesOf, concat } from "./bytes.ts";
import type { Version } from "./peers.ts";

/** Bytes that break a rule, and what is to be said of them. */
export interface Broken {
  bytes: Uint8Array;
  code: ProtocolErrorCode;
}

/** A greeting as a peer of that version and mechanism NULL sends it, 64 bytes. */
export function greetingOf([major, minor]: Version): Uint8Array {
  const bytes = encodeGreeting("NULL", false);
  bytes[10] = major;
  bytes[11] = minor;
  return bytes;
}

/** Good, with everything that a peer may put in it: any padding and filler, any as-server (GR-2, GR-5, GR-14, GR-15). */
export function oddGreeting(version: Version): fc.Arbitrary<Uint8Array> {
  const lastOfSignature = fc.nat(127).map((half) => half * 2 + 1);
  return fc
    .tuple(bytesOf(8), lastOfSignature, fc.nat(255), bytesOf(31))
    .map(([padding, last, asServer, filler]) => {
      const bytes = greetingOf(version);
      bytes.set(padding, 1);
      bytes[9] = last;
      bytes[32] = asServer;
      bytes.set(filler, 33);
      return bytes;
    });
}

/** Now as libzmq sends it, now odd. */
export function greeting(version: Version): fc.Arbitrary<Uint8Array> {
  return fc.oneof(fc.constant(greetingOf(version)), oddGreeting(version));
}

/** What ends a connection before its first frame: no ZMTP, ZMTP 1.0 and 2.0, another mechanism. Cut right after the proof. */
export function brokenGreeting(): fc.Arbitrary<Broken> {
  const good = greetingOf([3, 1]);
  const refused = (bytes: Uint8Array): Broken => ({ bytes, code: "ERR_ZMTP_VERSION" });
  const foreign = fc.nat(254).map((first) => refused(Uint8Array.of(first)));
  const unversioned = fc
    .tuple(bytesOf(8), fc.nat(127))
    .map(([padding, half]) => refused(concat([Uint8Array.of(0xff), padding, Uint8Array.of(half * 2)])));
  const old = fc
    .constantFrom(0, 1)
    .map((major) => refused(concat([good.subarray(0, 10), Uint8Array.of(major)])));
  const mechanism = fc
    .oneof(
      fc.constantFrom("PLAIN", "CURVE", "null", "NULLX", "NULL ", "NUL", "\0NULL", "NULL\0X", ""),
      fc.string(),
    )
    .filter((name) => name !== "NULL" && name.length <= 20 && /^[\0-\x7f]*$/.test(name))
    .filter((name) => name.replace(/\0+$/, "") !== "NULL")
    .map((name): Broken => {
      const bytes = good.slice();
      bytes.fill(0, 12, 32);
      for (let i = 0; i < name.length; i++) bytes[12 + i] = name.charCodeAt(i);
      return { bytes, code: "ERR_ZMTP_MECHANISM_MISMATCH" };
    });
  return fc.oneof(foreign, unversioned, old, mechanism);
}
