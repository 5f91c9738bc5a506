import { ZmqError } from "../../errors.ts";

export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason. What was sent already may be carried out all the same. */
  signal?: AbortSignal;
}

export function closedError(): ZmqError {
  return new ZmqError("EBADF", "closed");
}
