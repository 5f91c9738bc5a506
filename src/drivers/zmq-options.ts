import type { Context } from "../sockets/index.ts";
import type { WireForm } from "./codec.ts";
import { ConfigError, UnsupportedTransportError } from "./errors.ts";
import { rejectUnknownOptions } from "./option-names.ts";
import type { OnError } from "./reporter.ts";
import type { SyncOptions } from "./sync.ts";

/** Options of the ZMQ drivers. Those that Dragonflow has mean the same there. */
export interface ZmqOptions extends Omit<SyncOptions, "random"> {
  /** Of the network publisher. Default "tcp". "epgm" is Dragonflow's other one, and not there yet. */
  publisherTransport?: string;
  /** Where the network publisher binds: an address, a name of an interface, or `*`. Default `*`. */
  publisherBindAddress?: string;
  /** Port of the network publisher; 0: any that is free, for tests. Default 8866. */
  publisherPort?: number;
  /** Path of the Unix socket between the writers and the publisher service. Default as Dragonflow's. */
  publisherMultiprocSocket?: string;
  /** How events are encoded that we publish. Default "json"; peers of 2017 and later need "map". */
  wireForm?: WireForm;
  /** What the network publisher does with a subscriber whose queue is full. Default "disconnect", for then it knows. */
  overflow?: "disconnect" | "drop";
  /** ms between PINGs from the network subscriber; 0: none. Default 5000. */
  heartbeatInterval?: number;
  /** ms of silence after a PING until the connection is given up. Default 10 000. */
  heartbeatTimeout?: number;
  /** ms for a connection to complete the handshake. Default 5000. */
  handshakeInterval?: number;
  /** ms that `close` goes on sending what is queued. Default 1000. */
  linger?: number;
  /** Bytes that a frame may have. Default 16 MiB. */
  maxMessageSize?: number;
  /** ms before an address is dialled again; doubles up to `reconnectMaxInterval`. Default 100. */
  reconnectInterval?: number;
  /** Default 5000. */
  reconnectMaxInterval?: number;
  /** ms that `sendEvent` waits for room on its way to the publisher service. Default 5000. */
  sendTimeout?: number;
  /** Messages queued per connection. Default 100 000. */
  highWaterMark?: number;
  /** Bytes queued per connection. Default 64 MiB. */
  highWaterMarkBytes?: number;
  /** ms after the answer to a PING until a subscription counts as in force. Default 50. */
  settleTime?: number;
  /** Hears of what went wrong and was coped with. Default: a process warning, at most one in ten seconds. */
  onError?: OnError;
  /** The runtime. Default: the process's own. */
  context?: Context;
}

export type ResolvedZmqOptions = Required<Omit<ZmqOptions, "onError" | "context">> & Pick<ZmqOptions, "onError" | "context">;

const DEFAULTS: Required<Omit<ZmqOptions, "onError" | "context">> = {
  publisherTransport: "tcp",
  publisherBindAddress: "*",
  publisherPort: 8866,
  publisherMultiprocSocket: "/var/run/zmq_pubsub/zmq-publisher-socket",
  wireForm: "json",
  overflow: "disconnect",
  heartbeatInterval: 5000,
  heartbeatTimeout: 10_000,
  handshakeInterval: 5000,
  linger: 1000,
  maxMessageSize: 16 * 2 ** 20,
  reconnectInterval: 100,
  reconnectMaxInterval: 5000,
  sendTimeout: 5000,
  highWaterMark: 100_000,
  highWaterMarkBytes: 64 * 2 ** 20,
  settleTime: 50,
  startTimeout: 1000,
  syncMinInterval: 1000,
  syncSpread: 0,
  lossGrace: 30_000,
  syncPeriod: 0,
};

/** The names of all options of the ZMQ drivers. */
export const ZMQ_OPTION_NAMES: readonly string[] = [...Object.keys(DEFAULTS), "onError", "context"];

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  wireForm: ["json", "map"],
  overflow: ["disconnect", "drop"],
};

/** @throws {UnknownOptionError} for a key that means nothing. @throws {ConfigError} EINVAL for a bad value. */
export function resolveZmqOptions(given: ZmqOptions): ResolvedZmqOptions {
  if (typeof given !== "object" || given === null) throw new TypeError("Options must be an object");
  rejectUnknownOptions(given, ZMQ_OPTION_NAMES);
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options = { ...DEFAULTS, ...present } as ResolvedZmqOptions;
  for (const [name, initial] of Object.entries(DEFAULTS)) {
    checkValue(name, (options as unknown as Record<string, unknown>)[name], typeof initial);
  }
  if (options.publisherPort > 65_535) throw new ConfigError("publisherPort", "publisherPort must be at most 65535");
  return options;
}

/** `tcp` is what there is; `epgm` is allowed by Dragonflow, and all else is not. */
export function checkTransport(transport: string): void {
  if (transport === "epgm") {
    throw new ConfigError("publisherTransport", "epgm is not supported yet; use tcp");
  }
  if (transport !== "tcp") throw new UnsupportedTransportError(transport);
}

function checkValue(name: string, value: unknown, type: string): void {
  const choices = CHOICES[name];
  const valid =
    choices !== undefined
      ? choices.includes(value as string)
      : type === "number"
        ? Number.isSafeInteger(value) && (value as number) >= 0
        : typeof value === "string" && value !== "";
  if (valid) return;
  const wanted = choices?.join(" or ") ?? (type === "number" ? "an integer of at least 0" : "a text");
  throw new ConfigError(name, `${name} must be ${wanted}, not ${JSON.stringify(value)}`);
}
