import { ZmqError } from "../errors.ts";
import type { RedisOptions } from "./options.ts";

/**
 * Options out of `redis://[[user]:password@]host[:port][/db]`, `rediss://` (TLS) or `unix://[[user]:password@]/path[?db=1]`.
 *
 * @throws {ZmqError} EINVAL for anything else.
 */
export function parseUrl(text: string): RedisOptions {
  const url = read(text);
  const options: RedisOptions = {};
  if (url.username !== "") options.username = decodeURIComponent(url.username);
  if (url.password !== "") options.password = decodeURIComponent(url.password);
  if (url.protocol === "unix:") {
    options.path = decodeURIComponent(url.pathname);
  } else {
    if (url.protocol === "rediss:") options.tls = true;
    else if (url.protocol !== "redis:") throw bad(`unknown scheme ${url.protocol}`);
    if (url.hostname !== "") options.host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (url.port !== "") options.port = Number(url.port);
  }
  const db = url.searchParams.get("db") ?? (url.protocol === "unix:" ? "" : url.pathname.slice(1));
  if (db !== "") {
    if (!/^\d{1,9}$/.test(db)) throw bad(`"${db}" is no number of a database`);
    options.db = Number(db);
  }
  return options;
}

function read(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw bad("not a URL", cause);
  }
}

/** Without the URL: it may hold a password. */
function bad(reason: string, cause?: unknown): ZmqError {
  return new ZmqError("EINVAL", `url: ${reason}`, { cause });
}
