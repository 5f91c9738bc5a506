import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { afterEach } from "vitest";
import { stablePort } from "./ports.ts";
import { until } from "./wait.ts";

/** What happens to the bytes of one direction. */
interface Direction {
  /** The connection is torn down once this many bytes have gone through; the byte after them never does. */
  cutAfter?: number;
}

export interface ProxyPlan {
  toServer?: Direction;
  toClient?: Direction;
}

class ProxyConnection {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes passed on so far. */
  toServer = 0;
  toClient = 0;
  readonly #proxy: FaultProxy;

  constructor(proxy: FaultProxy, client: Socket, plan: ProxyPlan) {
    this.#proxy = proxy;
    this.client = client;
    this.server = tcpConnect({ port: proxy.serverPort, host: "127.0.0.1", noDelay: true });
    for (const side of [client, this.server]) {
      side
        .on("error", () => {})
        .on("close", () => {
          if (!proxy.swallows) this.destroy();
        });
    }
    this.#forward(client, this.server, "toServer", plan.toServer?.cutAfter);
    this.#forward(this.server, client, "toClient", plan.toClient?.cutAfter);
    if (plan.toServer?.cutAfter === 0 || plan.toClient?.cutAfter === 0) this.destroy();
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
    this.#proxy.connections.delete(this);
  }

  /** Ends both halves with a TCP RST. */
  reset(): void {
    this.client.resetAndDestroy();
    this.server.resetAndDestroy();
    this.#proxy.connections.delete(this);
  }

  #forward(
    from: Socket,
    to: Socket,
    count: "toServer" | "toClient",
    cutAfter = Number.POSITIVE_INFINITY,
  ): void {
    const pass = (chunk: Buffer): void => {
      if (this.#proxy.swallows || to.destroyed) return;
      const kept = chunk.subarray(0, Math.max(0, cutAfter - this[count]));
      this[count] += kept.length;
      // A clean end carries what was passed before it; destroy() could lose it to a reset.
      if (this[count] >= cutAfter) to.end(kept, () => setImmediate(() => this.destroy()));
      else if (!to.write(kept)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    };
    const later = (action: () => void): void => {
      if (this.#proxy.delay > 0) setTimeout(action, this.#proxy.delay);
      else action();
    };
    from.on("data", (chunk: Buffer) => later(() => pass(chunk)));
    from.on("end", () =>
      later(() => {
        if (!this.#proxy.swallows) to.end();
      }),
    );
  }
}

/** A TCP proxy on loopback with faults to order. */
export class FaultProxy {
  readonly connections: Set<ProxyConnection> = new Set();
  readonly serverPort: number;
  /** ms that every chunk is held back, order kept. */
  delay = 0;
  /** Connections seen so far. */
  accepted = 0;
  swallows = false;
  readonly #server: Server;
  /** Connections made to the black hole: the server never hears of them. */
  readonly #lost = new Set<Socket>();
  #plans: ProxyPlan[] = [];

  private constructor(serverPort: number) {
    this.serverPort = serverPort;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
      this.accepted += 1;
      if (this.swallows) this.#lost.add(client.on("error", () => {}));
      else this.connections.add(new ProxyConnection(this, client, this.#plans.shift() ?? {}));
    });
  }

  /** @param server the endpoint to forward to, `tcp://127.0.0.1:port`. It need not be there yet. */
  static async start(server: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(Number(/^tcp:\/\/127\.0\.0\.1:(\d+)$/.exec(server)?.[1]));
    if (Number.isNaN(proxy.serverPort))
      throw new Error(`a proxy forwards to tcp://127.0.0.1:port, not to ${server}`);
    proxy.#server.listen(await stablePort(), "127.0.0.1");
    await until("the proxy listens", () => proxy.#server.listening);
    return proxy;
  }

  /** The endpoint to connect to. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy is closed");
    return `tcp://127.0.0.1:${address.port}`;
  }

  /** What is to happen to the next connection; called n times, to the next n. Later ones pass undisturbed. */
  plan(plan: ProxyPlan): void {
    this.#plans.push(plan);
  }

  /** From now on every byte, end and new connection is swallowed: a cable that was pulled. */
  blackHole(): void {
    this.swallows = true;
  }

  /** New connections pass again; those that lost bytes are ended, for they cannot be mended. */
  heal(): void {
    this.cut();
    this.swallows = false;
  }

  /** Ends all connections in good order (FIN). */
  cut(): void {
    for (const connection of [...this.connections]) connection.destroy();
    for (const client of this.#lost) client.destroy();
    this.#lost.clear();
  }

  /** Ends all connections with a TCP RST. */
  reset(): void {
    for (const connection of [...this.connections]) connection.reset();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Starts proxies that are closed after each test. */
export function useProxies(): (server: string) => Promise<FaultProxy> {
  const proxies: FaultProxy[] = [];
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  return async (server) => {
    const proxy = await FaultProxy.start(server);
    proxies.push(proxy);
    return proxy;
  };
}
