import { stablePort } from "../ports.ts";
import { type CliTarget, redisCli } from "./cli.ts";
import { RedisProcess } from "./process.ts";
import { type TlsFiles, tlsFiles } from "./tls.ts";

export interface RedisServerOptions {
  /** Further lines of the configuration, e.g. "client-output-buffer-limit pubsub 4mb 4mb 60". */
  set?: readonly string[];
  /** Also listens on a TLS port; in a cluster there is nothing but TLS. */
  tls?: boolean;
  /** One user who may do everything; the default user is off, so who forgets to authenticate is caught. */
  acl?: { username: string; password: string };
  requirepass?: string;
  /** Also listens on a Unix socket. */
  unix?: boolean;
}

/** One redis-server of our own on loopback, with no files that outlive it. */
export class RedisServer implements AsyncDisposable {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly tlsPort: number | null;
  /** The path of the Unix socket. */
  readonly unix: string | null;
  readonly tls: TlsFiles | null;
  readonly #process: RedisProcess;
  readonly #cli: CliTarget;

  constructor(
    process: RedisProcess,
    ports: { port: number; tlsPort: number | null },
    options: RedisServerOptions,
  ) {
    this.port = ports.port;
    this.tlsPort = ports.tlsPort;
    this.tls = options.tls ? tlsFiles() : null;
    this.unix = options.unix ? `${process.folder}/redis.sock` : null;
    this.#process = process;
    this.#cli = {
      port: ports.port,
      ca: ports.port === ports.tlsPort ? this.tls?.ca : undefined,
      username: options.acl?.username,
      password: options.acl?.password ?? options.requirepass,
    };
  }

  get pid(): number | null {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.pid !== null;
  }

  /** What the server has said so far. */
  get log(): string {
    return this.#process.log;
  }

  /** Runs one command, as the user of `acl`, else the default one. @returns the answer as text, items on lines. */
  cli(...command: readonly (string | number)[]): Promise<string> {
    return redisCli(this.#cli, ...command);
  }

  /** Resolves when the process is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    await this.#process.end(signal);
  }

  /** Stops the process as a hung machine would be: the kernel still acknowledges what is sent to it. */
  freeze(): void {
    this.#process.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process.signal("SIGCONT");
  }

  /** Starts again on the same ports, killed first if it is running. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#process.start();
  }

  /** Ends the process and removes its files. */
  async stop(): Promise<void> {
    await this.#process.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Starts one server. `set` gives further lines of its configuration. */
export function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  return startServer(options, async () => {
    const port = await stablePort();
    const tlsPort = options.tls ? await stablePort() : null;
    return { port, tlsPort, lines: [`port ${port}`, ...(tlsPort === null ? [] : [`tls-port ${tlsPort}`])] };
  });
}

/** The ports of a server, and how its configuration says so. */
export interface Listening {
  port: number;
  tlsPort: number | null;
  lines: readonly string[];
}

/** Between the look for a free port and the server's bind another process may take it: then others are tried. */
export async function startServer(
  options: RedisServerOptions,
  listen: () => Promise<Listening>,
): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const process = new RedisProcess("server");
    const ports = await listen();
    const server = new RedisServer(process, ports, options);
    process.configure([...ports.lines, ...configuration(server, process.folder, options)]);
    try {
      await process.start();
      return server;
    } catch (error) {
      const isTaken = process.log.includes("Address already in use");
      await process.remove();
      if (!isTaken || attempt === 5) throw error;
    }
  }
}

function configuration(server: RedisServer, folder: string, options: RedisServerOptions): string[] {
  const { tls, unix } = server;
  const { acl, requirepass } = options;
  const lines = ["bind 127.0.0.1", "protected-mode no", 'save ""', "appendonly no", `dir ${folder}`];
  lines.push("enable-debug-command local");
  if (tls)
    lines.push(
      `tls-cert-file ${tls.cert}`,
      `tls-key-file ${tls.key}`,
      `tls-ca-cert-file ${tls.ca}`,
      "tls-auth-clients no",
    );
  if (unix) lines.push(`unixsocket ${unix}`, "unixsocketperm 700");
  if (acl) {
    lines.push(`user ${acl.username} on >${acl.password} ~* &* +@all`, "user default off");
    lines.push(`masteruser ${acl.username}`, `masterauth ${acl.password}`);
  }
  if (requirepass) lines.push(`requirepass ${requirepass}`, `masterauth ${requirepass}`);
  return [...lines, ...(options.set ?? [])];
}
