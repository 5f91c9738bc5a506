import { RedisPubSub, type RedisPubSubOptions } from "../../../src/drivers/index.ts";
import { Context } from "../../../src/sockets/index.ts";
import { HELLO_REPLY, ScriptedServer } from "../../redis-resp/scripted.ts";
import { type SimulatedStream, Simulation } from "../../support/simulation.ts";

/** A node as it sees its cluster, and those who are connected to it. */
export class SimulatedNode {
  readonly port: number;
  id: string;
  /** Ports of those that it lists, itself included. */
  lists: Set<number>;
  /** Of these, the ones that it holds to be dead. */
  readonly failed: Set<number> = new Set();
  hasSlots = true;
  isReplica = false;
  /** Says nothing to CLUSTER NODES. */
  isMute = false;
  isCluster = true;
  /** Lets nobody in: it has as many clients as it may have. */
  isFull = false;
  /** Times that it was asked. */
  looks = 0;
  readonly connections: ScriptedServer[] = [];
  readonly subscribers: Set<ScriptedServer> = new Set();

  constructor(port: number, lists: readonly number[]) {
    this.port = port;
    this.id = `${port}`.padStart(40, "0");
    this.lists = new Set(lists);
  }

  /** CLUSTER RESET HARD. */
  reset(): void {
    this.id = `f${this.id.slice(1)}`;
    this.lists = new Set([this.port]);
    this.hasSlots = false;
  }
}

/** A simulated process at a cluster of masters, by their ports: what one publishes reaches those that list it and that it lists. */
export class SimulatedCluster extends Simulation {
  readonly nodes: Map<number, SimulatedNode> = new Map();
  readonly driverContext: Context;

  constructor(ports: readonly number[], seed?: number) {
    super(seed);
    this.driverContext = new Context({ ...this.environment, transports: { tcp: this.network } });
    for (const port of ports) this.add(port, ports);
  }

  add(port: number, lists: readonly number[]): SimulatedNode {
    const node = new SimulatedNode(port, lists);
    this.nodes.set(port, node);
    this.network.listeners.set(`tcp://10.0.0.1:${port}`, (stream) =>
      this.#accept(node, stream as SimulatedStream),
    );
    return node;
  }

  node(port: number): SimulatedNode {
    return this.nodes.get(port)!;
  }

  /** What was asked of all nodes since the last call. */
  looks(): number {
    let count = 0;
    for (const node of this.nodes.values()) {
      count += node.looks;
      node.looks = 0;
    }
    return count;
  }

  /** The others forget it. */
  forget(port: number): void {
    for (const node of this.nodes.values()) if (node.port !== port) node.lists.delete(port);
  }

  driver(options: RedisPubSubOptions = {}): RedisPubSub {
    const hosts = [...this.nodes.keys()].map((port) => `10.0.0.1:${port}`);
    return new RedisPubSub({
      remoteDbHosts: hosts,
      heartbeatInterval: 0,
      context: this.driverContext,
      ...options,
    });
  }

  /** Where somebody is connected, by the address that a `connected` event tells. */
  at(address: string | undefined): SimulatedNode {
    return this.node(Number(address?.split(":").at(-1)));
  }

  #accept(node: SimulatedNode, stream: SimulatedStream): void {
    const server = new ScriptedServer(stream);
    node.connections.push(server);
    server.answer = ([name = "", ...args]) => this.#answer(node, server, name, args);
  }

  #answer(node: SimulatedNode, server: ScriptedServer, name: string, args: string[]): string | null {
    if (node.isFull) return "-ERR max number of clients reached\r\n";
    if (name === "HELLO") return HELLO_REPLY;
    if (name === "PING") return "+PONG\r\n";
    if (name === "CLUSTER") return this.#clusterNodes(node);
    if (name === "PUBLISH") return this.#publish(node, args[0]!, args[1]!);
    node.subscribers.add(server);
    return args.map((channel) => push(name.toLowerCase(), channel, 1)).join("");
  }

  #clusterNodes(node: SimulatedNode): string | null {
    node.looks += 1;
    if (node.isMute) return null;
    if (!node.isCluster) return "-ERR This instance has cluster support disabled\r\n";
    const lines = [...node.lists].map((port) => {
      const { id, hasSlots, isReplica } = this.node(port);
      const flags = [port === node.port ? "myself," : "", isReplica ? "slave" : "master"].join("");
      const failed = node.failed.has(port) ? ",fail" : "";
      const end = hasSlots && !isReplica ? ` ${port}` : "";
      return `${id} 10.0.0.1:${port}@1${port} ${flags}${failed} - 0 0 1 connected${end}\n`;
    });
    const text = lines.join("");
    return `$${text.length}\r\n${text}\r\n`;
  }

  #publish(from: SimulatedNode, channel: string, payload: string): string {
    for (const to of this.nodes.values()) {
      if (to !== from && !(to.lists.has(from.port) && from.lists.has(to.port))) continue;
      for (const subscriber of to.subscribers)
        if (!subscriber.isEnded) subscriber.say(push("message", channel, payload));
    }
    return ":1\r\n";
  }
}

function push(...items: (string | number)[]): string {
  const coded = items.map((item) =>
    typeof item === "number" ? `:${item}\r\n` : `$${item.length}\r\n${item}\r\n`,
  );
  return `>${items.length}\r\n${coded.join("")}`;
}
