import { ZmqError } from "../../errors.ts";
import { checkNames, wholeNumber } from "../connection/options.ts";

/** Sizes in bytes, durations in ms. */
export interface BrokerOptions {
  /** Where to listen: a name or an address, `*` for everywhere. Anything but loopback needs a password. Default `127.0.0.1`. */
  host?: string;
  /** Default 0: any free one, see `address`. */
  port?: number;
  /** What clients must give (AUTH, HELLO ... AUTH), for the user `default`. Default none. */
  password?: string;
  /** Plays a cluster of one node, which owns all slots. Default false. */
  cluster?: boolean;
  /** One more is told so and closed. Default 10 000. */
  maxClients?: number;
  /** A subscriber for whom more is waiting is closed. Default 32 MiB. */
  maxOutput?: number;
  /** The same, when it lasts for `softOutputTime`. Default 8 MiB. */
  softOutput?: number;
  /** Default 60 000. */
  softOutputTime?: number;
  /** Of one argument. Default 512 MiB. */
  maxBulk?: number;
  /** Of one request that has not come whole: its client is closed. Default 1 GiB. */
  maxQueryBuffer?: number;
  /** Of all keys and values; what would need more is refused with OOM. Default 256 MiB. */
  maxMemory?: number;
}

export type ResolvedOptions = Readonly<Required<Omit<BrokerOptions, "password">>> & {
  readonly password: string | null;
};

const MIB = 2 ** 20;

/** Default and least value. */
const NUMBERS = {
  maxClients: [10_000, 1],
  maxOutput: [32 * MIB, 1],
  softOutput: [8 * MIB, 1],
  softOutputTime: [60_000, 0],
  maxBulk: [512 * MIB, 1],
  maxQueryBuffer: [1024 * MIB, 1],
  maxMemory: [256 * MIB, 0],
} as const;

/**
 * @throws {ZmqError} EINVAL for an unknown option, a value out of range, or a host beyond loopback without password.
 * @throws {TypeError} for a value of the wrong kind.
 */
export function resolveBrokerOptions(given: BrokerOptions): ResolvedOptions {
  checkNames(given, ["host", "port", "password", "cluster", ...Object.keys(NUMBERS)]);
  const { host = "127.0.0.1", port, password = null, cluster = false, ...numbers } = given;
  if (typeof host !== "string") throw new TypeError("host must be a string");
  if (password !== null && typeof password !== "string") throw new TypeError("password must be a string");
  if (typeof cluster !== "boolean") throw new TypeError("cluster must be a boolean");
  if (host === "") throw new ZmqError("EINVAL", "host must not be empty");
  if (password === "") throw new ZmqError("EINVAL", "password must not be empty");
  if (password === null && !isLoopback(host)) {
    throw new ZmqError("EINVAL", `a broker on ${host}, which is not loopback, needs a password`);
  }
  const resolved = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, [initial, least]]) => {
      const value = numbers[name as keyof typeof NUMBERS];
      return [name, wholeNumber(name, value, initial, least, Number.MAX_SAFE_INTEGER)];
    }),
  ) as Record<keyof typeof NUMBERS, number>;
  return Object.freeze({
    host,
    port: wholeNumber("port", port, 0, 0, 65_535),
    password,
    cluster,
    ...resolved,
  });
}

/** A name other than `localhost` may resolve to anything. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
