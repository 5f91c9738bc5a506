import { ProtocolError } from "../errors.ts";

/** RFC 37, "Formal Grammar": `connection = greeting handshake traffic`. */
export type Stage = "greeting" | "handshake" | "traffic" | "closed";

/** `ready` is the command that completes the handshake: the mechanism says which one that is. */
export type Received = "greeting" | "command" | "ready" | "ERROR" | "message" | "end";

/** Every legal step; what is absent is a protocol violation. A READY or ERROR during traffic is a command like any. */
const STEPS: Readonly<Record<Stage, Readonly<Partial<Record<Received, Stage>>>>> = {
  greeting: { greeting: "handshake", end: "closed" },
  handshake: { command: "handshake", ready: "traffic", ERROR: "closed", end: "closed" },
  traffic: { command: "traffic", message: "traffic", end: "closed" },
  closed: { end: "closed" },
};

/** @throws {ProtocolError} `ERR_ZMTP_UNEXPECTED_COMMAND` when the peer may not send `received` in `stage`. */
export function step(stage: Stage, received: Received): Stage {
  const next = STEPS[stage][received];
  if (next === undefined) {
    const message = `${received} is not allowed during ${stage}`;
    throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "RFC 37, Formal Grammar", message);
  }
  return next;
}
