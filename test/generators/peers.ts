import fc from "fast-check";
import { isCompatible, type SocketType } from "../../src/zmtp/index.ts";

/** RFC 37, "The Socket-Type Property", and the drafts. */
const NAMED: Readonly<Record<SocketType, true>> = {
  PAIR: true,
  PUB: true,
  SUB: true,
  XPUB: true,
  XSUB: true,
  REQ: true,
  REP: true,
  DEALER: true,
  ROUTER: true,
  PUSH: true,
  PULL: true,
  CLIENT: true,
  SERVER: true,
  RADIO: true,
  DISH: true,
  SCATTER: true,
  GATHER: true,
  PEER: true,
  CHANNEL: true,
};

export const SOCKET_TYPES: readonly SocketType[] = Object.keys(NAMED) as SocketType[];

export type SocketPair = readonly [ours: SocketType, theirs: SocketType];

const PAIRS: readonly SocketPair[] = SOCKET_TYPES.flatMap((ours) =>
  SOCKET_TYPES.map((theirs): SocketPair => [ours, theirs]),
);
export const COMPATIBLE_PAIRS: readonly SocketPair[] = PAIRS.filter((pair) => isCompatible(...pair));
export const INCOMPATIBLE_PAIRS: readonly SocketPair[] = PAIRS.filter((pair) => !isCompatible(...pair));

export function socketType(): fc.Arbitrary<SocketType> {
  return fc.constantFrom(...SOCKET_TYPES);
}

/** Two types that may talk to each other; half of them publish and subscribe, for those are the ones with rules of their own. */
export function compatiblePair(): fc.Arbitrary<SocketPair> {
  const isSubscribed = ([ours]: SocketPair): boolean => /^X?(PUB|SUB)$/.test(ours);
  return fc.oneof(
    fc.constantFrom(...COMPATIBLE_PAIRS.filter(isSubscribed)),
    fc.constantFrom(...COMPATIBLE_PAIRS.filter((pair) => !isSubscribed(pair))),
  );
}

/** Two types that must refuse each other. */
export function incompatiblePair(): fc.Arbitrary<SocketPair> {
  return fc.constantFrom(...INCOMPATIBLE_PAIRS);
}

export type Version = readonly [major: number, minor: number];

/** What a peer may announce: the two versions that there are, and two that may come. */
export function version(): fc.Arbitrary<Version> {
  return fc.constantFrom<Version>([3, 0], [3, 1], [3, 9], [4, 0]);
}
