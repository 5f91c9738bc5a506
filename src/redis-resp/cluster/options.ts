import { ZmqError } from "../../errors.ts";
import {
  addressOf,
  type ConnectionOptions,
  resolveSettings,
  type Settings,
  wholeNumber,
} from "../connection/options.ts";
import type { NodeAddress } from "./topology.ts";

/** Of a cluster, how it is found, and how each of its nodes is spoken to. */
export interface ClusterOptions extends ConnectionOptions {
  /** Some of its nodes: the others are learnt from any of them. A host is `127.0.0.1` and a port 6379 unless given. */
  nodes: readonly { host?: string; port?: number }[];
  /** How often a command that was surely not carried out is sent on or tried again, redirections included. Default 16. */
  maxRedirections?: number;
  /**
   * With subscriptions: ms after which the topology is looked at, should nobody have told of a change.
   * Default 15 000.
   */
  slotsRefreshInterval?: number;
}

export interface ClusterSettings {
  readonly nodes: readonly NodeAddress[];
  readonly connection: Settings;
  readonly maxRedirections: number;
  readonly slotsRefreshInterval: number;
}

/** @throws {ZmqError} EINVAL; {TypeError}. */
export function resolveClusterOptions(options: ClusterOptions): ClusterSettings {
  const connection = resolveSettings(options, ["nodes", "maxRedirections", "slotsRefreshInterval"]);
  if (connection.db !== 0) throw new ZmqError("EINVAL", "db must be 0: a cluster has no other");
  return {
    connection,
    nodes: resolveNodes("nodes", options.nodes, 6379),
    maxRedirections: wholeNumber("maxRedirections", options.maxRedirections, 16, 0),
    slotsRefreshInterval: wholeNumber("slotsRefreshInterval", options.slotsRefreshInterval, 15_000, 1),
  };
}

/** @throws {ZmqError} EINVAL; {TypeError}. */
export function resolveNodes(
  name: string,
  nodes: readonly { host?: string; port?: number }[],
  port: number,
): NodeAddress[] {
  if (!Array.isArray(nodes)) throw new TypeError(`${name} must be an array of { host, port }`);
  if (nodes.length === 0) throw new ZmqError("EINVAL", `${name} must name at least one`);
  return nodes.map((node) => {
    if (typeof node !== "object" || node === null)
      throw new TypeError(`${name} must be an array of { host, port }`);
    return addressOf({ host: node.host ?? "127.0.0.1", port: node.port ?? port }) as NodeAddress;
  });
}
