import { isIPv4, isIPv6 } from "node:net";
import { ZmqError } from "../errors.ts";

export type Purpose = "bind" | "connect";

export interface TcpAddress {
  /** `*` (all interfaces), a numeric address without brackets and with its zone, an interface or a host name. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface TcpEndpoint {
  /** Where a dial starts from (`tcp://source;target`), null for wherever the system likes. */
  readonly source: TcpAddress | null;
  readonly target: TcpAddress;
}

export interface IpcEndpoint {
  /** A file, a name in Linux's abstract namespace, or `ipc://*`: a file in a folder of its own. */
  readonly kind: "path" | "abstract" | "wildcard";
  /** As node:net takes it, an abstract name after a NUL. Empty for a wildcard. */
  readonly path: string;
}

/**
 * The bytes a path may have: sockaddr_un's `sun_path` holds 108 on Linux and 104 on macOS and the BSDs, one of them
 * the closing NUL.
 */
export const MAX_PATH: number = process.platform === "linux" ? 107 : 103;

/**
 * The part before `://`. Whether anyone speaks it is not asked here.
 * @throws {ZmqError} EINVAL when there is no `://`, or nothing before or after it.
 */
export function schemeOf(address: string): string {
  const at = address.indexOf("://");
  if (at <= 0 || at + 3 === address.length) throw new ZmqError("EINVAL", undefined, { address });
  return address.slice(0, at);
}

/**
 * Reads `tcp://host:port`, to connect also `tcp://source:port;host:port`. A port is `*` or 0 only where the system
 * can choose one: libzmq takes 0 in a connect as well and then never connects.
 * @throws {ZmqError} EINVAL; ENODEV for a bind without a host.
 */
export function parseTcp(address: string, purpose: Purpose): TcpEndpoint {
  const rest = restOf(address, "tcp");
  if (purpose === "bind") return { source: null, target: parseHostPort(address, rest, "bind") };
  const semicolon = rest.lastIndexOf(";");
  if (semicolon < 0) return { source: null, target: parseHostPort(address, rest, "target") };
  return {
    source: parseHostPort(address, rest.slice(0, semicolon), "source"),
    target: parseHostPort(address, rest.slice(semicolon + 1), "target"),
  };
}

/** As `tcp://host:port`, an IPv6 address in brackets. */
export function formatTcp(host: string, port: number): string {
  return host.includes(":") ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`;
}

/**
 * Reads `ipc://path`, `ipc://@name` and, to bind, `ipc://*`.
 * @throws {ZmqError} EINVAL; ENAMETOOLONG over {@link MAX_PATH} bytes; EPROTONOSUPPORT where the runtime cannot.
 */
export function parseIpc(address: string, purpose: Purpose): IpcEndpoint {
  const path = restOf(address, "ipc");
  if (process.platform === "win32") {
    throw new ZmqError("EPROTONOSUPPORT", "ipc needs Unix domain sockets", { address });
  }
  if (path.includes("\0")) throw invalid(address, "a NUL in the path");
  if (path === "*") {
    if (purpose === "connect") throw invalid(address, "a wildcard is for bind only");
    return { kind: "wildcard", path: "" };
  }
  assertPathFits(path, address);
  if (!path.startsWith("@")) return { kind: "path", path };
  if (path === "@") throw invalid(address, "an abstract name must not be empty");
  const refusal = whyNoAbstractNames(process.platform, process.versions.node);
  if (refusal !== null) throw new ZmqError("EPROTONOSUPPORT", refusal, { address });
  return { kind: "abstract", path: `\0${path.slice(1)}` };
}

/** @throws {ZmqError} ENAMETOOLONG, before the system cuts the path or complains less clearly. */
export function assertPathFits(path: string, address: string): void {
  const length = new TextEncoder().encode(path).length;
  if (length <= MAX_PATH) return;
  const message = `File name too long: ${length} bytes, ${MAX_PATH} at most`;
  throw new ZmqError("ENAMETOOLONG", message, { address });
}

/**
 * Why `ipc://@name` cannot work here, or null. Before version 22 Node pads the name with NULs to 108 bytes, so that it
 * would be another name than the one that libzmq listens on.
 */
export function whyNoAbstractNames(platform: string, nodeVersion: string): string | null {
  if (platform !== "linux") return "abstract ipc names exist on Linux only";
  if (Number.parseInt(nodeVersion, 10) >= 22) return null;
  return `abstract ipc names need Node 22 or later: Node ${nodeVersion} pads them, so no other peer would find them`;
}

function restOf(address: string, scheme: string): string {
  if (schemeOf(address) !== scheme) throw invalid(address, `it does not start with ${scheme}://`);
  return address.slice(scheme.length + 3);
}

type Part = "bind" | "source" | "target";

function parseHostPort(address: string, text: string, part: Part): TcpAddress {
  const colon = text.lastIndexOf(":");
  if (colon < 0) throw invalid(address, "the port is missing");
  const port = parsePort(address, text.slice(colon + 1), part);
  return { host: parseHost(address, text.slice(0, colon), part), port };
}

function parsePort(address: string, text: string, part: Part): number {
  const port = text === "*" ? 0 : /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) throw invalid(address, `no port: "${text}"`);
  if (port === 0 && part === "target") throw invalid(address, "no port to connect to");
  return port;
}

function parseHost(address: string, text: string, part: Part): string {
  if (text === "" && part === "bind") throw new ZmqError("ENODEV", undefined, { address });
  if (text === "*") {
    if (part !== "bind") throw invalid(address, "a wildcard host is for bind only");
    return text;
  }
  const bracketed = /^\[([^[\]]*)\](%[^[\]]*)?$/.exec(text);
  const host = bracketed ? `${bracketed[1]}${bracketed[2] ?? ""}` : text;
  if (isIPv4(host)) return host;
  if (isIPv6(host)) {
    if (/%0*$/.test(host)) throw invalid(address, "no zone");
    return host;
  }
  if (bracketed || !isName(host)) throw invalid(address, `no host: "${text}"`);
  return host;
}

/** A host or interface name. Nothing but digits and dots would be a mistyped address. */
function isName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(text) && !/^[\d.]+$/.test(text);
}

function invalid(address: string, what: string): ZmqError {
  return new ZmqError("EINVAL", `Invalid argument: ${what} (${address})`, { address });
}
