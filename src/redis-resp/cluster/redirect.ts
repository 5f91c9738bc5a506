import { readPort } from "./reply.ts";
import { SLOTS } from "./slot.ts";

/** `MOVED`: from now on; `ASK`: this one command, with ASKING before it. */
export interface Redirect {
  readonly kind: "MOVED" | "ASK";
  readonly slot: number;
  /** The node to go to; null where the server does not know its name (`?`). */
  readonly target: { readonly host: string; readonly port: number } | null;
}

/**
 * @param text of an error reply, `MOVED 3999 127.0.0.1:6381`. An empty host is the one that was asked; IPv6 comes without
 * brackets, so that the last colon stands before the port.
 * @param askedHost the host of the node that sent it.
 * @returns null for every other error, and for a redirection that makes no sense: a slot or a port out of range.
 */
export function parseRedirect(text: string, askedHost: string): Redirect | null {
  const [, kind, digits, host = "", port = ""] = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})$/.exec(text) ?? [];
  const slot = Number(digits);
  const number = readPort(port);
  if (kind === undefined || slot >= SLOTS || number === null) return null;
  return {
    kind: kind as Redirect["kind"],
    slot,
    target: host === "?" ? null : { host: host || askedHost, port: number },
  };
}
