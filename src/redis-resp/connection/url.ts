import { ZmqError } from "../../errors.ts";
import type { RedisOptions } from "./options.ts";

/**
 * Options out of `redis://[[user]:password@]host[:port][/db]`, `rediss://` (TLS) or `unix:///path[?db=1]`.
 *
 * @throws {ZmqError} EINVAL for anything else.
 */
export function parseUrl(text: string): RedisOptions {
  const url = read(text);
  const options: RedisOptions = {};
  if (url.username !== "") options.username = decode(url.username);
  if (url.password !== "") options.password = decode(url.password);
  if (url.protocol === "unix:") readPath(url, options);
  else if (url.protocol === "redis:" || url.protocol === "rediss:") readHost(url, options);
  else throw bad(`unknown scheme ${url.protocol}`);
  for (const [name, value] of url.searchParams) {
    if (name !== "db" || options.db !== undefined) throw bad(`unknown or repeated parameter ${name}`);
    options.db = database(value);
  }
  if (url.hash !== "") throw bad("a fragment");
  return options;
}

function readPath(url: URL, options: RedisOptions): void {
  if (url.host !== "") throw bad("unix: takes a whole path, with three slashes");
  options.path = decode(url.pathname);
}

function readHost(url: URL, options: RedisOptions): void {
  if (url.protocol === "rediss:") options.tls = true;
  if (url.hostname !== "") options.host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.port !== "") options.port = Number(url.port);
  if (url.pathname.length > 1) options.db = database(url.pathname.slice(1));
}

function database(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw bad(`"${text}" is no number of a database`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad("a % that begins no character");
  }
}

function read(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw bad("not a URL");
  }
}

/** Without the URL, and without a cause that shows it: it may hold a password. */
function bad(reason: string): ZmqError {
  return new ZmqError("EINVAL", `url: ${reason}`);
}
