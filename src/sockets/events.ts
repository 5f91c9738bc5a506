import type { Emitter } from "./emitter.ts";

/** Why a connection ended. */
export type DisconnectReason =
  | "peer"
  | "reset"
  | "heartbeat"
  | "handshake"
  | "protocol"
  | "refused"
  | "overflow";

/** Everything a socket tells of its connections. `address` is the endpoint that was bound or dialled. */
export interface SocketEvents {
  /** Listening. */
  bind: { type: "bind"; address: string };
  /** A listener was closed; or a dial failed (`error`) and there will be no other. */
  close: { type: "close"; address: string; error?: Error };
  /** A connection came in; the handshake follows. */
  accept: { type: "accept"; address: string };
  /** A dialled connection is there; the handshake follows. */
  connect: { type: "connect"; address: string };
  /** A dial failed; the next follows in `interval` ms. */
  "connect:retry": { type: "connect:retry"; address: string; interval: number; error: Error };
  /** The peer and we have agreed: messages flow. */
  handshake: { type: "handshake"; address: string };
  /**
   * A connection was lost. `retryIn`: ms until it is dialled again; absent when it will not be. Reasons: the peer closed
   * it (`peer`) or it broke (`reset`), was silent for too long (`heartbeat`), did not complete the handshake
   * (`handshake`), broke the protocol (`protocol`), refused us (`refused`), or did not keep up (`overflow`).
   */
  disconnect: {
    type: "disconnect";
    address: string;
    reason: DisconnectReason;
    error?: Error;
    retryIn?: number;
  };
  /** A PUB has dropped a message for a subscriber whose queue is full, which does not know (`overflow: "drop"`). */
  drop: { type: "drop"; address: string };
  /** The socket was closed; the last event. */
  end: { type: "end" };
}

/** The events of a socket. */
export type Events = Emitter<SocketEvents>;
