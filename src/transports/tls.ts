import { isIP, Socket as NetSocket } from "node:net";
import type { ConnectionOptions, connect } from "node:tls";
import { ZmqError } from "../errors.ts";
import { parseTcp } from "./endpoint.ts";
import { type Lookup, systemLookup } from "./lookup.ts";
import { dialTcp, type Security } from "./tcp-dial.ts";
import type { Dial, Transport } from "./transport.ts";

/** How a certificate is checked and presented: node:tls' own options (`ca`, `cert`, `key`, `servername`...). */
export type TlsOptions = Omit<ConnectionOptions, "socket" | "host" | "port" | "path">;

/** Dials over TCP, addresses as of {@link Transport}, then TLS. The time for a dial is for both. */
export function createTls(
  options: TlsOptions = {},
  lookup: Lookup = systemLookup,
): Pick<Transport, "check" | "dial"> {
  // Instead of its default node:tls would take an undefined.
  const given: TlsOptions = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const securityBy = (connectTls: typeof connect): Security => ({
    // Not one that reads into memory of its own: TLS is to have the bytes.
    createSocket: () => new NetSocket().unref(),
    secure: (socket, host, timeout, done) => secure(connectTls, socket, host, given, timeout, done),
  });
  return {
    check(address, purpose) {
      parseTcp(address, purpose);
    },
    dial(address, dialOptions, done) {
      let cancelled = false;
      let dial: Dial | null = null;
      // Loaded when it is wanted: it takes two megabytes of memory.
      void import("node:tls").then((tls) => {
        if (!cancelled) dial = dialTcp(address, dialOptions, lookup, done, securityBy(tls.connect));
      });
      return {
        cancel() {
          cancelled = true;
          dial?.cancel();
        },
      };
    },
  };
}

/** The handshake over a connected socket; the name is what the certificate is held against. */
function secure(
  connectTls: typeof connect,
  socket: NetSocket,
  host: string,
  options: TlsOptions,
  timeout: number,
  done: (error: Error | null, socket: NetSocket | null) => void,
): Dial {
  // A name to ask for must be none of an address (RFC 6066, Server Name Indication).
  const named = isIP(host) === 0 ? { servername: host } : {};
  const secured = connectTls({ host, ...named, ...options, socket });
  let timer: NodeJS.Timeout | null = null;
  let settled = false;
  const settle = (error: Error | null): void => {
    if (settled) return;
    settled = true;
    if (timer !== null) clearTimeout(timer);
    secured.off("close", onClose);
    if (error !== null) secured.destroy();
    done(error, error === null ? secured : null);
  };
  const onClose = (): void =>
    settle(new ZmqError("ECONNRESET", "closed by the peer during the TLS handshake"));
  secured.on("secureConnect", () => settle(null));
  // Stays: a late error is nobody's otherwise.
  secured.on("error", settle);
  secured.on("close", onClose);
  if (timeout > 0) {
    const expire = (): void => settle(new ZmqError("ETIMEDOUT", `no TLS handshake within ${timeout} ms`));
    timer = setTimeout(expire, timeout).unref();
  }
  return {
    cancel() {
      if (settled) return;
      settled = true;
      if (timer !== null) clearTimeout(timer);
      secured.destroy();
    },
  };
}
