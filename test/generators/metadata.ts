import fc from "fast-check";
import {
  encodeMetadata,
  isCompatible,
  type PeerInfo,
  type Property,
  type SocketType,
} from "../../src/zmtp/index.ts";
import { body, bytesOf, concat } from "./bytes.ts";
import type { Broken } from "./greetings.ts";
import { SOCKET_TYPES } from "./peers.ts";

const NAME_CHARACTERS = [..."abcXYZ019-_.+"];
/** What we ourselves read something into. */
const OWN = ["socket-type", "identity"];

/** The name of a property, with no meaning to anybody. */
export function propertyName(): fc.Arbitrary<string> {
  const name = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength, maxLength });
  return fc
    .oneof({ weight: 9, arbitrary: name(1, 12) }, { weight: 1, arbitrary: name(254, 255) })
    .filter((one) => !OWN.includes(one.toLowerCase()));
}

/** Properties without meaning, duplicates among them. */
export function properties(): fc.Arbitrary<Property[]> {
  const value = fc.oneof(fc.uint8Array({ maxLength: 20 }), body()).map((bytes) => bytes.subarray(0, 600));
  return fc.array(fc.tuple(propertyName(), value), { maxLength: 4 });
}

/** What a peer says of itself: the block of bytes, and what is to be read from it. */
export interface Announcement {
  metadata: Uint8Array;
  peer: Omit<PeerInfo, "version">;
}

/** Acceptable metadata of a peer of that type: any order and case, duplicates, an Identity or none (NU-2, NU-5). */
export function announcement(theirs: SocketType): fc.Arbitrary<Announcement> {
  const value = Uint8Array.from(theirs, (char) => char.charCodeAt(0));
  const type = spelled("Socket-Type").map((name): Property => [name, value]);
  const routingId = fc.oneof(fc.uint8Array({ maxLength: 20 }), bytesOf(255));
  const identity = fc.tuple(spelled("Identity"), routingId) as fc.Arbitrary<Property>;
  return fc
    .tuple(type, fc.array(fc.oneof(type, identity), { maxLength: 2 }), properties())
    .chain(([one, more, others]) =>
      fc.shuffledSubarray([one, ...more, ...others], { minLength: 1 + more.length + others.length }),
    )
    .map((all) => ({ metadata: encodeMetadata(all), peer: readAs(theirs, all) }));
}

/** Of a name given twice the first value counts; of an Identity the last, as libzmq has it. */
function readAs(socketType: SocketType, all: readonly Property[]): Omit<PeerInfo, "version"> {
  const first = all.filter(([name], i) => i === all.findIndex(([other]) => sameName(name, other)));
  const routingId = all.filter(([name]) => sameName(name, "Identity")).at(-1)?.[1] ?? new Uint8Array(0);
  return { socketType, routingId, properties: new Map(first) };
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Names of properties do not depend on case: RFC 37, "Connection Metadata". */
function spelled(name: string): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(name), fc.constantFrom(name.toLowerCase(), name.toUpperCase()));
}

/** Metadata that a peer of type `ours` must refuse. */
export function brokenMetadata(ours: SocketType): fc.Arbitrary<Broken> {
  return fc.oneof(
    { weight: 4, arbitrary: illFormedMetadata() },
    { weight: 1, arbitrary: longIdentity() },
    { weight: 4, arbitrary: unacceptableMetadata(ours) },
  );
}

/** No metadata at all: cut, or with names that are none (RFC 37, "Connection Metadata"). */
export function illFormedMetadata(): fc.Arbitrary<Broken> {
  const invalid = (tail: Uint8Array, before: Property[]): Broken => ({
    bytes: concat([encodeMetadata(before), tail]),
    code: "ERR_ZMTP_INVALID_METADATA",
  });
  const cut = fc
    .tuple(propertyName(), fc.uint8Array({ maxLength: 20 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([name, value, where]) => {
      const whole = encodeMetadata([[name, value]]);
      return whole.subarray(0, 1 + Math.floor(where * (whole.length - 2)));
    });
  const huge = propertyName().map((name) =>
    concat([encodeMetadata([[name, new Uint8Array(0)]]).subarray(0, -4), Uint8Array.of(255, 255, 255, 255)]),
  );
  const named = fc
    .constantFrom("", " ", "a b", "Socket-Type\0", "a\n", "\xe4", "a:b", "a/b")
    .map((name) =>
      concat([Uint8Array.of(name.length), Uint8Array.from(name, (c) => c.charCodeAt(0)), new Uint8Array(4)]),
    );
  return fc.tuple(fc.oneof(cut, huge, named), properties()).map(([tail, before]) => invalid(tail, before));
}

/** An Identity of more than 255 octets: RFC 37, "The Identity Property". */
function longIdentity(): fc.Arbitrary<Broken> {
  return bytesOf(256).map((value) => ({
    bytes: encodeMetadata([["Identity", value]]),
    code: "ERR_ZMTP_INVALID_METADATA",
  }));
}

/** Well-formed, but no peer for us: no Socket-Type, or an unknown or incompatible one, if only in a duplicate (NU-5, NU-6). */
export function unacceptableMetadata(ours: SocketType): fc.Arbitrary<Broken> {
  const encode = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
  const compatible = SOCKET_TYPES.find((type) => isCompatible(ours, type)) as SocketType;
  const wrong = fc.oneof(
    fc.constantFrom(...SOCKET_TYPES.filter((type) => !isCompatible(ours, type))),
    fc.constantFrom("", "push", "SUB\0", " SUB", "STREAM", "DGRAM", "toString", "__proto__", "X".repeat(300)),
  );
  const missing = fc.constant<Property[]>([]);
  const single = wrong.map((type): Property[] => [["Socket-Type", encode(type)]]);
  const second = wrong.map((type): Property[] => [
    ["Socket-Type", encode(compatible)],
    ["socket-type", encode(type)],
  ]);
  return fc.tuple(fc.oneof(missing, single, second), properties()).map(([typed, others]) => ({
    bytes: encodeMetadata([...others, ...typed]),
    code: "ERR_ZMTP_SOCKET_TYPE",
  }));
}
