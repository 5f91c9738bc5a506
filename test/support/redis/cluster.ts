import { stablePort } from "../ports.ts";
import { until } from "../wait.ts";
import { type RedisServer, type RedisServerOptions, startServer } from "./server.ts";

const SLOTS = 16_384;
const POLL_MS = 50; // redis-cli is a process each time

export interface RedisClusterOptions extends Omit<RedisServerOptions, "unix"> {
  masters?: number;
  /** Of each master. */
  replicas?: number;
  /** Milliseconds without an answer after which a node is held to be dead. */
  nodeTimeout?: number;
}

/** A line of CLUSTER NODES, in part. */
export interface NodeLine {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly master: string | null;
}

/** Several servers that form one Redis Cluster. */
export class RedisClusterServers implements AsyncDisposable {
  /** The masters of the start first, then the first replica of each, and so on. */
  readonly nodes: readonly RedisServer[];

  constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  /** The cluster as `node` sees it, or the first that runs. */
  async view(node: RedisServer = this.#running()): Promise<NodeLine[]> {
    return (await node.cli("CLUSTER", "NODES")).split("\n").map(parseLine);
  }

  /** The master that the running nodes hold to be the owner of the key's (or sharded channel's) slot. */
  async ownerOf(key: string): Promise<RedisServer> {
    const asked = this.#running();
    const slot = Number(await asked.cli("CLUSTER", "KEYSLOT", key));
    const ranges = (await asked.cli("CLUSTER", "NODES")).split("\n");
    const owner = ranges.find((line) => holds(line, slot));
    if (owner === undefined) throw new Error(`nobody has slot ${slot}:\n${ranges.join("\n")}`);
    return this.#at(parseLine(owner).port);
  }

  /** The running replicas of a node. */
  async replicasOf(master: RedisServer): Promise<RedisServer[]> {
    const view = await this.view();
    const id = view.find((line) => line.port === master.port)?.id;
    const replicas = view.filter((line) => line.master === id).map((line) => this.#at(line.port));
    return replicas.filter((node) => node.isRunning);
  }

  /** Gives the key's slot to another master, at once, as the end of a migration does. The slot must hold no keys. */
  async moveSlot(key: string, target: RedisServer): Promise<void> {
    const slot = await target.cli("CLUSTER", "KEYSLOT", key);
    const id = await target.cli("CLUSTER", "MYID");
    const owner = await this.ownerOf(key);
    const ownerId = await owner.cli("CLUSTER", "MYID");
    await target.cli("CLUSTER", "SETSLOT", slot, "IMPORTING", ownerId);
    await owner.cli("CLUSTER", "SETSLOT", slot, "MIGRATING", id);
    for (const node of [target, owner]) await node.cli("CLUSTER", "SETSLOT", slot, "NODE", id);
    await this.#all(`know that slot ${slot} moved`, async (node) =>
      (await node.cli("CLUSTER", "NODES"))
        .split("\n")
        .some((line) => line.startsWith(id) && holds(line, Number(slot))),
    );
  }

  /** Waits until `node` is a master in its own eyes. */
  async promoted(node: RedisServer, milliseconds = 20_000): Promise<void> {
    const isMaster = async (): Promise<boolean> => (await node.cli("ROLE")).startsWith("master");
    await until(`port ${node.port} is a master`, isMaster, milliseconds, POLL_MS);
  }

  /**
   * Waits until all running nodes see the cluster whole, agree who has which role and slots, and reach each other, and all without
   * slots follow a master.
   */
  async settled(milliseconds = 30_000): Promise<void> {
    const isSettled = async (node: RedisServer, view: string): Promise<boolean> => {
      const [info, role] = await Promise.all([node.cli("CLUSTER", "INFO"), node.cli("ROLE")]);
      const sees = info.includes("cluster_state:ok") && info.includes(`known_nodes:${this.nodes.length}`);
      const [kind, , , link] = role.split("\n");
      const follows = kind === "master" ? hasSlots(view) : link === "connected";
      return sees && follows && this.#reachesAll(view);
    };
    const areSettled = async (): Promise<boolean> => {
      const running = this.nodes.filter((node) => node.isRunning);
      const views = await Promise.all(running.map((node) => node.cli("CLUSTER", "NODES")));
      if (new Set(views.map(agreement)).size > 1) return false;
      return (await Promise.all(running.map((node, i) => isSettled(node, views[i]!)))).every(Boolean);
    };
    await until("all nodes see the cluster whole", areSettled, milliseconds, POLL_MS);
  }

  /** The links over which PUBLISH reaches the other nodes stand. */
  #reachesAll(view: string): boolean {
    const running = new Set(this.nodes.filter((node) => node.isRunning).map(({ port }) => port));
    return view
      .split("\n")
      .filter((line) => running.has(parseLine(line).port))
      .every((line) => line.split(" ")[7] === "connected" && !parseLine(line).flags.includes("fail"));
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): RedisServer {
    const node = this.nodes.find((each) => each.isRunning);
    if (!node) throw new Error("no node of the cluster is running");
    return node;
  }

  /** Waits until the condition holds at every running node. */
  #all(what: string, holds: (node: RedisServer) => Promise<boolean>, milliseconds = 30_000): Promise<void> {
    const running = this.nodes.filter((node) => node.isRunning);
    const doAll = async (): Promise<boolean> => (await Promise.all(running.map(holds))).every(Boolean);
    return until(`all nodes ${what}`, doAll, milliseconds, POLL_MS);
  }

  #at(port: number): RedisServer {
    return this.nodes.find((node) => node.port === port)!;
  }
}

/** Starts a cluster and resolves when it has settled: about 3 s, of which the servers insist on 2. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisClusterServers> {
  const { masters = 3, replicas = 1, nodeTimeout = 2000, ...rest } = options;
  const started: RedisServer[] = [];
  for (let i = 0; i < masters * (1 + replicas); i++) started.push(await startNode(rest, nodeTimeout));
  const cluster = new RedisClusterServers(started);
  try {
    await join(cluster, masters);
    await cluster.settled();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

function startNode(options: RedisServerOptions, nodeTimeout: number): Promise<RedisServer> {
  return startServer(options, async () => {
    const port = await stablePort();
    const lines = [`cluster-port ${await stablePort()}`, "cluster-enabled yes", "repl-diskless-sync-delay 0"];
    lines.push(`cluster-node-timeout ${nodeTimeout}`, "cluster-require-full-coverage no");
    if (!options.tls) return { port, tlsPort: null, lines: [...lines, `port ${port}`] };
    lines.push("port 0", `tls-port ${port}`, "tls-cluster yes", "tls-replication yes");
    return { port, tlsPort: port, lines };
  });
}

async function join({ nodes }: RedisClusterServers, masters: number): Promise<void> {
  const ids = await Promise.all(nodes.map((node) => node.cli("CLUSTER", "MYID")));
  for (const [i, node] of nodes.entries()) {
    await node.cli("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
    if (i < masters) await node.cli("CLUSTER", "ADDSLOTSRANGE", ...slotRange(i, masters));
  }
  for (const [i, node] of nodes.entries()) {
    for (const other of nodes.slice(i + 1)) await meet(node, other);
  }
  for (const [i, node] of nodes.slice(masters).entries()) {
    const master = ids[i % masters]!;
    const replicates = async (): Promise<boolean> => {
      const known = await node.cli("CLUSTER", "NODES");
      return known.includes(master) && (await node.cli("CLUSTER", "REPLICATE", master)) === "OK";
    };
    await until(`port ${node.port} knows its master`, replicates, 30_000, POLL_MS);
  }
}

async function meet(node: RedisServer, other: RedisServer): Promise<void> {
  const [, busPort] = (await other.cli("CONFIG", "GET", "cluster-port")).split("\n");
  await node.cli("CLUSTER", "MEET", other.host, other.port, busPort!);
}

function slotRange(i: number, masters: number): [number, number] {
  return [Math.floor((i * SLOTS) / masters), Math.floor(((i + 1) * SLOTS) / masters) - 1];
}

/** `id ip:port@cport flags master ping pong epoch link slot slot-slot ...` */
function parseLine(line: string): NodeLine {
  const [id = "", address = "", flags = "", master = "-"] = line.split(" ");
  const port = Number(/:(\d+)@/.exec(address)?.[1]);
  return { id, port, flags: flags.split(","), master: master === "-" ? null : master };
}

/** Who has which role, master and slots: what all nodes are to see alike. */
function agreement(view: string): string {
  const roles = view.split("\n").map((line) => {
    const [id, , flags = "", master, , , , , ...slots] = line.split(" ");
    const owned = slots.filter((range) => !range.startsWith("["));
    return [id, flags.includes("master"), master, ...owned].join(" ");
  });
  return roles.sort().join("\n");
}

/** A master that comes back takes a moment to see that another has its slots. */
function hasSlots(view: string): boolean {
  const myself = view.split("\n").find((line) => line.includes("myself")) ?? "";
  return myself.split(" ").length > 8;
}

function holds(line: string, slot: number): boolean {
  return line
    .split(" ")
    .slice(8)
    .map((range) => range.split("-").map(Number))
    .some(([first, last = first]) => first! <= slot && slot <= last!);
}
