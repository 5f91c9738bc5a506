import { ZmqError } from "../../errors.ts";
import { checkTlsOptions, type TlsOptions } from "../../transports/index.ts";
import { checkAddress, checkSecurity, type RedisAddress } from "./address.ts";
import { parseUrl } from "./url.ts";

/** Who we are. Without a username the server takes `default`. */
export interface Credentials {
  username?: string;
  password: string;
}

/** How a connection is made and kept. Durations in ms. */
export interface ConnectionOptions {
  /**
   * TLS, over TCP only; `true`, or node:tls' options: `ca`, `cert`, `key` (PEM), `servername`,
   * `rejectUnauthorized`... Default none. A PEM that cannot be read fails the attempts to connect.
   */
  tls?: boolean | TlsOptions;
  username?: string;
  password?: string;
  /** In place of `username` and `password`: asked for each connection anew. */
  credentials?: () => Credentials | Promise<Credentials>;
  /** The database, by number. Default 0, the only one in a cluster. */
  db?: number;
  /** 3 (default): RESP3, and RESP2 with servers that do not know it. 2: RESP2. */
  protocol?: 2 | 3;
  /** What `CLIENT LIST` shows. */
  clientName?: string;
  /** For the dial, TLS included, and again for what is said before the first command. Default 5000. */
  connectTimeout?: number;
  /** Before the second attempt at least; the first one after a loss is made at once. Default 100. */
  reconnectInterval?: number;
  /** Up to which the delay grows, doubling, with full jitter; half a minute when the server refuses us. Default 2000. */
  reconnectMaxInterval?: number;
  /** After so long without a byte from the server it is asked (PING). 0: never. Default 15000. */
  pingInterval?: number;
  /** When then not a byte comes for so long, the connection is given up: ETIMEDOUT. Default 5000. */
  pingTimeout?: number;
  /** A command without reply for so long is rejected: ETIMEDOUT if not sent yet, else EUNKNOWN. Default 0: never. */
  commandTimeout?: number;
  /** So many commands may wait to be sent or answered; the next is rejected with ENOBUFS. Default 1 000 000. */
  maxQueuedCommands?: number;
  /** The same in bytes that wait to be sent. Default 1 GiB. */
  maxQueuedBytes?: number;
  /** The longest bulk string to receive, in bytes. Default 512 MiB. */
  maxBulk?: number;
}

/** Where one server is, and how a connection to it is made and kept. */
export interface RedisOptions extends ConnectionOptions {
  /** `redis://user:password@host:port/db`, `rediss://` for TLS, `unix:///path?db=1`. Options beside it come first. */
  url?: string;
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 6379. */
  port?: number;
  /** A Unix socket, in place of host and port. */
  path?: string;
  /** In place of the above: asked before each attempt to connect. When it rejects, the attempt has failed. */
  locate?: () => RedisAddress | Promise<RedisAddress>;
}

/** Where to connect, and how. */
export interface Resolved {
  readonly locate: () => RedisAddress | Promise<RedisAddress>;
  readonly settings: Settings;
}

/** The options of connections, each with its value. */
export interface Settings {
  readonly tls: TlsOptions | null;
  readonly credentials: () => Credentials | null | Promise<Credentials>;
  readonly db: number;
  readonly protocol: 2 | 3;
  readonly clientName: string | null;
  readonly connectTimeout: number;
  readonly reconnectInterval: number;
  readonly reconnectMaxInterval: number;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly commandTimeout: number;
  readonly maxQueuedCommands: number;
  readonly maxQueuedBytes: number;
  readonly maxBulk: number;
}

/** The longest time a timer takes. */
const LONGEST = 2 ** 31 - 1;
const ANY = Number.MAX_SAFE_INTEGER;

/** Whole numbers with their default, least and greatest value. */
const NUMBERS = {
  db: [0, 0, LONGEST],
  connectTimeout: [5000, 1, LONGEST],
  reconnectInterval: [100, 1, LONGEST],
  reconnectMaxInterval: [2000, 1, LONGEST],
  pingInterval: [15_000, 0, LONGEST],
  pingTimeout: [5000, 1, LONGEST],
  commandTimeout: [0, 0, LONGEST],
  maxQueuedCommands: [1_000_000, 1, ANY],
  maxQueuedBytes: [2 ** 30, 1, ANY],
  maxBulk: [512 * 2 ** 20, 1, ANY],
} as const;

const TEXTS = ["username", "password", "clientName"] as const;

export const CONNECTION_OPTIONS: readonly string[] = [
  ...Object.keys(NUMBERS),
  ...TEXTS,
  "tls",
  "credentials",
  "protocol",
];

const PLACE: readonly string[] = ["url", "host", "port", "path", "locate"];

/**
 * @throws {ZmqError} EINVAL for an unknown option (one of `others` is known), or a value out of range; {TypeError} for one of
 * the wrong kind.
 */
export function resolveSettings(options: ConnectionOptions, others: readonly string[] = []): Settings {
  checkNames(options, [...CONNECTION_OPTIONS, ...others]);
  const { tls = false, credentials, protocol = 3, username, password, clientName = null } = options;
  for (const name of TEXTS) expectKind(name, options[name], "string");
  if (typeof tls !== "boolean" && (typeof tls !== "object" || tls === null)) {
    throw new TypeError("tls must be a boolean or an object");
  }
  if (typeof tls === "object") checkTlsOptions(tls);
  if (protocol !== 2 && protocol !== 3) throw new ZmqError("EINVAL", "protocol must be 2 or 3");
  if (clientName !== null && !/^[!-~]*$/.test(clientName)) {
    throw new ZmqError("EINVAL", "clientName must be printable ASCII without spaces");
  }
  const numbers = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, [initial, least, most]]) => [
      name,
      wholeNumber(name, (options as Record<string, unknown>)[name], initial, least, most),
    ]),
  ) as Record<keyof typeof NUMBERS, number>;
  return Object.freeze({
    ...numbers,
    protocol,
    clientName,
    tls: tls === true ? {} : tls || null,
    credentials: whoWeAre(credentials, username, password),
  });
}

/** @throws as {@link resolveSettings}, and EINVAL for a URL that is none. */
export function resolveOptions(given: RedisOptions, others: readonly string[] = []): Resolved {
  checkNames(given, [...CONNECTION_OPTIONS, ...PLACE, ...others]);
  expectKind("url", given.url, "string");
  expectKind("locate", given.locate, "function");
  const { url, ...beside } = given;
  // An option that is undefined is not there, and hides nothing of the URL's.
  const present = Object.entries(beside).filter(([, value]) => value !== undefined);
  const options: RedisOptions = { ...(url !== undefined && parseUrl(url)), ...Object.fromEntries(present) };
  const settings = resolveSettings(options, [...PLACE, ...others]);
  const { locate } = options;
  if (locate === undefined) {
    const address = addressOf(options);
    checkSecurity(address, settings.tls !== null);
    return { settings, locate: () => address };
  }
  if (options.host === undefined && options.port === undefined && options.path === undefined) {
    return { settings, locate };
  }
  throw new ZmqError("EINVAL", "either locate, or host and port, or path");
}

/** @throws {ZmqError} EINVAL, ENAMETOOLONG; {TypeError}. */
export function addressOf({ host, port, path }: Pick<RedisOptions, "host" | "port" | "path">): RedisAddress {
  for (const [name, value] of Object.entries({ host, path })) {
    expectKind(name, value, "string");
    if (value === "") throw new ZmqError("EINVAL", `${name} must not be empty`);
  }
  if (path !== undefined && (host !== undefined || port !== undefined)) {
    throw new ZmqError("EINVAL", "either path, or host and port");
  }
  const address: RedisAddress =
    path === undefined
      ? { host: host ?? "127.0.0.1", port: wholeNumber("port", port, 6379, 1, 65_535) }
      : { path };
  checkAddress(address);
  return address;
}

/** @throws {ZmqError} EINVAL. */
export function checkNames(options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) throw new TypeError("options must be an object");
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new ZmqError("EINVAL", `unknown option: ${unknown.join(", ")}; known are ${known.join(", ")}`);
}

/** @throws {ZmqError} EINVAL out of range; {TypeError} for what is no number. */
export function wholeNumber(
  name: string,
  value: unknown,
  initial: number,
  least: number,
  most: number = LONGEST,
): number {
  if (value === undefined) return initial;
  if (typeof value !== "number") throw new TypeError(`${name} must be a number`);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ZmqError("EINVAL", `${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

function whoWeAre(
  credentials: ConnectionOptions["credentials"],
  username: string | undefined,
  password: string | undefined,
): Settings["credentials"] {
  expectKind("credentials", credentials, "function");
  if (credentials !== undefined) {
    if (username === undefined && password === undefined) return credentials;
    throw new ZmqError("EINVAL", "either credentials, or username and password");
  }
  if (password === undefined) {
    if (username === undefined) return () => null;
    throw new ZmqError("EINVAL", "username without password");
  }
  return () => (username === undefined ? { password } : { username, password });
}

function expectKind(name: string, value: unknown, kind: "string" | "function"): void {
  const found = typeof value;
  if (found !== "undefined" && found !== kind) throw new TypeError(`${name} must be a ${kind}`);
}
