import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { afterEach } from "vitest";
import { stablePort } from "./ports.ts";
import { until } from "./wait.ts";

/** What happens to the bytes of one direction. */
interface Direction {
  /** The connection is torn down once this many bytes have gone through; the byte after them never does. */
  cutAfter?: number;
  /** As `cutAfter`, but with a TCP RST, which may overtake the bytes before it. */
  resetAfter?: number;
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
  /** What the client has said, while the proxy remembers it. */
  readonly #said: Buffer[] = [];

  constructor(proxy: FaultProxy, client: Socket, plan: ProxyPlan) {
    this.#proxy = proxy;
    this.client = client;
    this.server = toServer(proxy.serverPort);
    for (const side of [client, this.server]) {
      side
        .on("error", () => {})
        .on("close", () => {
          if (!proxy.swallows) this.destroy();
        });
    }
    this.#forward(client, this.server, "toServer", plan.toServer);
    this.#forward(this.server, client, "toClient", plan.toClient);
    if (plan.toServer?.cutAfter === 0 || plan.toClient?.cutAfter === 0) this.destroy();
    if (plan.toServer?.resetAfter === 0 || plan.toClient?.resetAfter === 0) this.reset();
  }

  /** Ends one direction (FIN); the other goes on. */
  halfClose(direction: keyof ProxyPlan): void {
    (direction === "toServer" ? this.server : this.client).end();
  }

  /** A second connection to the server that repeats all that this one's client has said. Its answers go nowhere. */
  duplicate(): Socket {
    if (!this.#proxy.remembers) throw new Error("this proxy does not remember what was said");
    const twin = toServer(this.#proxy.serverPort).resume();
    twin.on("error", () => {});
    twin.write(Buffer.concat(this.#said));
    return twin;
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
    this.#proxy.connections.delete(this);
  }

  /** Ends both halves with a TCP RST. */
  reset(): void {
    reset(this.client);
    reset(this.server);
    this.#proxy.connections.delete(this);
  }

  #forward(
    from: Socket,
    to: Socket,
    count: keyof ProxyPlan,
    { cutAfter = Number.POSITIVE_INFINITY, resetAfter = Number.POSITIVE_INFINITY }: Direction = {},
  ): void {
    const pass = (chunk: Buffer): void => {
      if (this.#proxy.swallows || to.destroyed || to.writableEnded) return;
      const kept = chunk.subarray(0, Math.max(0, Math.min(cutAfter, resetAfter) - this[count]));
      this[count] += kept.length;
      if (count === "toServer" && this.#proxy.remembers) this.#said.push(kept);
      // A clean end carries what was passed before it; destroy() could lose it to a reset.
      if (this[count] >= cutAfter) to.end(kept, () => setImmediate(() => this.destroy()));
      else if (this[count] >= resetAfter) to.write(kept, () => this.reset());
      else if (!to.write(kept)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
    };
    // Whichever timer fires runs the oldest action, so that a shorter delay overtakes nothing.
    const waiting: (() => void)[] = [];
    const later = (action: () => void): void => {
      if (this.#proxy.delay === 0 && waiting.length === 0) action();
      else {
        waiting.push(action);
        setTimeout(() => waiting.shift()?.(), this.#proxy.delay);
      }
    };
    from.on("data", (chunk: Buffer) => later(() => pass(chunk)));
    from.on("end", () =>
      later(() => {
        if (!this.#proxy.swallows) to.end();
      }),
    );
  }
}

function toServer(port: number): Socket {
  return tcpConnect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
}

/** `resetAndDestroy` sends a FIN first, and that may be all that the other side gets to see. */
function reset(socket: Socket): void {
  if (!socket.connecting) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
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
  /** Whether connections keep what their clients say, for `duplicate`. */
  remembers = false;
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
