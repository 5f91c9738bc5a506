/** RFC 37, "The Socket-Type Property"; the types from CLIENT on are drafts (RFC 41, 48, 49, 51, 52). */
export type SocketType =
  | "PAIR"
  | "PUB"
  | "SUB"
  | "XPUB"
  | "XSUB"
  | "REQ"
  | "REP"
  | "DEALER"
  | "ROUTER"
  | "PUSH"
  | "PULL"
  | "CLIENT"
  | "SERVER"
  | "RADIO"
  | "DISH"
  | "SCATTER"
  | "GATHER"
  | "PEER"
  | "CHANNEL";

/** For each type the types that it may talk to. */
const PEERS: Readonly<Record<SocketType, readonly SocketType[]>> = {
  PAIR: ["PAIR"],
  PUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  XPUB: ["SUB", "XSUB"],
  XSUB: ["PUB", "XPUB"],
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PUSH: ["PULL"],
  PULL: ["PUSH"],
  CLIENT: ["SERVER"],
  SERVER: ["CLIENT"],
  RADIO: ["DISH"],
  DISH: ["RADIO"],
  SCATTER: ["GATHER"],
  GATHER: ["SCATTER"],
  PEER: ["PEER"],
  CHANNEL: ["CHANNEL"],
};

export function isSocketType(name: string): name is SocketType {
  return Object.hasOwn(PEERS, name);
}

/** May a socket of type `ours` talk to one of type `theirs`? */
export function isCompatible(ours: SocketType, theirs: SocketType): boolean {
  return PEERS[ours].includes(theirs);
}

/** The types to which subscriptions mean something. */
export function receivesSubscriptions(type: SocketType): boolean {
  return type === "PUB" || type === "XPUB";
}

export function sendsSubscriptions(type: SocketType): boolean {
  return type === "SUB" || type === "XSUB";
}

/** The types that announce an Identity (RFC 37, "The Identity Property"); ROUTER does so in libzmq. */
export function sendsIdentity(type: SocketType): boolean {
  return type === "REQ" || type === "DEALER" || type === "ROUTER";
}
