import type { SocketType } from "../zmtp/index.ts";

/** libzmq's numbers of the types: ZMQ_PAIR and so on. */
export const TYPE_NUMBERS: Readonly<Record<SocketType, number>> = {
  PAIR: 0,
  PUB: 1,
  SUB: 2,
  REQ: 3,
  REP: 4,
  DEALER: 5,
  ROUTER: 6,
  PULL: 7,
  PUSH: 8,
  XPUB: 9,
  XSUB: 10,
  SERVER: 12,
  CLIENT: 13,
  RADIO: 14,
  DISH: 15,
  GATHER: 16,
  SCATTER: 17,
  PEER: 19,
  CHANNEL: 20,
};
