import { ZmqError } from "../errors.ts";

/** What the system says in too many ways and zeromq.js in one. */
const OWN_TEXT: ReadonlySet<string> = new Set(["EADDRINUSE", "EADDRNOTAVAIL"]);

/** The system's error as ours: its code, and the endpoint concerned. */
export function systemError(error: unknown, address: string): ZmqError {
  if (error instanceof ZmqError) {
    return error.address ? error : new ZmqError(error.code, error.message, { address, cause: error.cause });
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code) return new ZmqError("EINVAL", String(message ?? error), { address, cause: error });
  return new ZmqError(code, OWN_TEXT.has(code) ? undefined : message, { address, cause: error });
}
