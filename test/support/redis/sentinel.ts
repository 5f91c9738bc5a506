import { stablePort } from "../ports.ts";
import { until } from "../wait.ts";
import { redisCli } from "./cli.ts";
import { RedisProcess } from "./process.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "./server.ts";

const POLL_MS = 50; // redis-cli is a process each time

export interface RedisSentinelOptions extends Omit<RedisServerOptions, "tls"> {
  replicas?: number;
  sentinels?: number;
  /** Milliseconds without an answer after which a sentinel holds the master to be dead. */
  downAfter?: number;
}

export interface Sentinel {
  readonly host: string;
  readonly port: number;
  cli(...command: readonly (string | number)[]): Promise<string>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
}

/** A master, its replicas, and the sentinels that watch them. */
export class RedisSentinelServers implements AsyncDisposable {
  /** What the sentinels call the master. */
  readonly name = "mymaster";
  /** The master of the start first. */
  readonly nodes: readonly RedisServer[];
  readonly sentinels: readonly Sentinel[];
  readonly #processes: readonly RedisProcess[];

  constructor(
    nodes: readonly RedisServer[],
    sentinels: readonly Sentinel[],
    processes: readonly RedisProcess[],
  ) {
    this.nodes = nodes;
    this.sentinels = sentinels;
    this.#processes = processes;
  }

  /** The node that the first sentinel names as the master. */
  async master(): Promise<RedisServer> {
    const [, port] = (await this.sentinels[0]!.cli("SENTINEL", "get-master-addr-by-name", this.name)).split(
      "\n",
    );
    return this.nodes.find((node) => node.port === Number(port))!;
  }

  /** Resolves with the new master when every sentinel names another than `old`. */
  async failedOver(old: RedisServer, milliseconds = 30_000): Promise<RedisServer> {
    const names = (sentinel: Sentinel): Promise<string> =>
      sentinel.cli("SENTINEL", "get-master-addr-by-name", this.name);
    await until(
      `another than port ${old.port} is the master`,
      async () => {
        const named = await Promise.all(this.sentinels.map(names));
        return named.every((answer) => !answer.endsWith(`\n${old.port}`));
      },
      milliseconds,
      POLL_MS,
    );
    return this.master();
  }

  /** Waits until every sentinel knows all others, and all replicas so well that it could promote one. */
  async settled(): Promise<void> {
    const [others, replicas] = [this.sentinels.length - 1, this.nodes.length - 1];
    const doAllKnow = async (): Promise<boolean> =>
      (await Promise.all(this.sentinels.map((each) => knows(each, others, replicas)))).every(Boolean);
    await until("the sentinels know all", doAllKnow, 30_000, POLL_MS);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.remove()));
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Resolves when all are `settled`: 2 to 4 s. */
export async function startRedisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinelServers> {
  const { replicas = 1, sentinels = 3, downAfter = 1000, ...rest } = options;
  const master = await startRedis(rest);
  const nodes = [master];
  const processes: RedisProcess[] = [];
  const handles: Sentinel[] = [];
  const all = new RedisSentinelServers(nodes, handles, processes);
  try {
    const following = [...(rest.set ?? []), `replicaof ${master.host} ${master.port}`];
    for (let i = 0; i < replicas; i++) nodes.push(await startRedis({ ...rest, set: following }));
    for (let i = 0; i < sentinels; i++) {
      const process = new RedisProcess("sentinel");
      processes.push(process);
      const port = await stablePort();
      process.configure(
        watching(process.folder, port, master, Math.floor(sentinels / 2) + 1, downAfter, rest),
      );
      await process.start();
      handles.push(handle(process, port));
    }
    await all.settled();
  } catch (error) {
    await all.stop();
    throw error;
  }
  return all;
}

function watching(
  folder: string,
  port: number,
  master: RedisServer,
  quorum: number,
  downAfter: number,
  { acl, requirepass }: RedisServerOptions,
): string[] {
  const lines = [`port ${port}`, "bind 127.0.0.1", "protected-mode no", `dir ${folder}`];
  lines.push(`sentinel monitor mymaster ${master.host} ${master.port} ${quorum}`);
  lines.push(
    `sentinel down-after-milliseconds mymaster ${downAfter}`,
    "sentinel failover-timeout mymaster 5000",
  );
  if (acl) lines.push(`sentinel auth-user mymaster ${acl.username}`);
  const password = acl?.password ?? requirepass;
  if (password !== undefined) lines.push(`sentinel auth-pass mymaster ${password}`);
  return lines;
}

function handle(process: RedisProcess, port: number): Sentinel {
  return {
    host: "127.0.0.1",
    port,
    cli: (...command) => redisCli(port, ...command),
    kill: (signal = "SIGKILL") => process.end(signal),
    restart: async () => {
      await process.end("SIGKILL");
      await process.start();
    },
  };
}

async function knows(sentinel: Sentinel, others: number, replicas: number): Promise<boolean> {
  const lines = (await sentinel.cli("SENTINEL", "MASTER", "mymaster")).split("\n");
  const field = (name: string): number => Number(lines[lines.indexOf(name) + 1]);
  // It has asked the replica itself, which follows its master.
  const following = (await sentinel.cli("SENTINEL", "REPLICAS", "mymaster")).match(
    /^master-link-status\nok$/gm,
  );
  return field("num-other-sentinels") === others && following?.length === replicas;
}
