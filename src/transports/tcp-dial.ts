import { isIP, isIPv6, type Socket, type TcpSocketConnectOpts } from "node:net";
import { ZmqError } from "../errors.ts";
import { connect } from "./connect.ts";
import { formatTcp, parseTcp, type TcpEndpoint } from "./endpoint.ts";
import { assertUsable, interfaceAddress } from "./interfaces.ts";
import type { Lookup } from "./lookup.ts";
import { NetStream } from "./net-stream.ts";
import { systemError } from "./system-error.ts";
import { tune } from "./tcp-tuning.ts";
import type { Dial, Stream, TransportOptions } from "./transport.ts";

type Done = (error: Error | null, stream: Stream | null) => void;

/** What a connection gets on top of TCP before it counts as made. */
export interface Security {
  /** A socket that can be secured, not connected yet. */
  createSocket(): Socket;
  /** @param timeout ms; 0: none. @param done as of {@link connect}, with the secured socket. */
  secure(
    socket: Socket,
    host: string,
    timeout: number,
    done: (error: Error | null, socket: Socket | null) => void,
  ): Dial;
}

export function dialTcp(
  address: string,
  options: TransportOptions,
  lookup: Lookup,
  done: Done,
  security: Security | null = null,
): Dial {
  return new TcpDial(address, options, lookup, done, security);
}

/** One dial: the name is resolved, then its addresses are tried in turn until one answers or the time is up. */
class TcpDial implements Dial {
  readonly #address: string;
  readonly #options: TransportOptions;
  readonly #done: Done;
  readonly #security: Security | null;
  readonly #deadline: number;
  #finished = false;
  #resolveTimer: NodeJS.Timeout | null = null;
  #attempt: Dial | null = null;

  constructor(
    address: string,
    options: TransportOptions,
    lookup: Lookup,
    done: Done,
    security: Security | null,
  ) {
    this.#address = address;
    this.#options = options;
    this.#done = done;
    this.#security = security;
    this.#deadline = performance.now() + options.connectTimeout;
    process.nextTick(() => {
      if (!this.#finished) this.#guard(() => this.#resolve(lookup));
    });
  }

  cancel(): void {
    this.#finish();
    this.#attempt?.cancel();
  }

  #resolve(lookup: Lookup): void {
    const endpoint = parseTcp(this.#address, "connect");
    const { host } = endpoint.target;
    const { ipv6, connectTimeout } = this.#options;
    const source = this.#resolveSource(endpoint);
    if (isIP(host) !== 0) {
      assertUsable(host, ipv6, this.#address);
      this.#tryAll(endpoint, source, [host]);
      return;
    }
    if (connectTimeout > 0) {
      const message = `${host} was not resolved within ${connectTimeout} ms`;
      this.#resolveTimer = setTimeout(
        () => this.#fail(new ZmqError("ETIMEDOUT", message)),
        connectTimeout,
      ).unref();
    }
    lookup(host, ipv6 ? 0 : 4, (error, addresses) => {
      if (this.#finished) return;
      if (this.#resolveTimer !== null) clearTimeout(this.#resolveTimer);
      if (error !== null) return this.#fail(error);
      const hosts = addresses.map((found) => found.address);
      this.#guard(() => this.#tryAll(endpoint, source, hosts));
    });
  }

  #resolveSource({ source }: TcpEndpoint): string | null {
    if (source === null) return null;
    const { ipv6 } = this.#options;
    const local = isIP(source.host) !== 0 ? source.host : interfaceAddress(source.host, ipv6);
    const address = this.#address;
    if (local === null) throw new ZmqError("ENODEV", `No such device: "${source.host}"`, { address });
    assertUsable(local, ipv6, address);
    return local;
  }

  #tryAll(endpoint: TcpEndpoint, source: string | null, hosts: readonly string[]): void {
    const usable = source === null ? hosts : hosts.filter((host) => isIPv6(host) === isIPv6(source));
    if (usable.length === 0) {
      throw new ZmqError("EADDRNOTAVAIL", "No address of the host fits the source address");
    }
    this.#try(endpoint, source, usable, 0);
  }

  #try(endpoint: TcpEndpoint, source: string | null, hosts: readonly string[], index: number): void {
    const { port } = endpoint.target;
    const host = hosts[index] as string;
    const target: TcpSocketConnectOpts = { host, port };
    if (source !== null && endpoint.source !== null) {
      target.localAddress = source;
      if (endpoint.source.port !== 0) target.localPort = endpoint.source.port;
    }
    const answered = (error: Error | null, socket: Socket | null): void => {
      if (error === null) this.#connected(socket as Socket, endpoint.target.host, formatTcp(host, port));
      else if (index + 1 === hosts.length) this.#fail(error);
      else this.#guard(() => this.#try(endpoint, source, hosts, index + 1));
    };
    const timeout = this.#share(hosts.length - index);
    this.#attempt = connect(target, timeout, answered, this.#security?.createSocket());
  }

  /** The ms for one of the addresses left, so that a silent one leaves some to the others. */
  #share(addressesLeft: number): number {
    const { connectTimeout } = this.#options;
    if (connectTimeout <= 0) return 0;
    const left = Math.ceil(this.#deadline - performance.now());
    if (left <= 0) throw new ZmqError("ETIMEDOUT", `connect ETIMEDOUT: not within ${connectTimeout} ms`);
    return Math.ceil(left / addressesLeft);
  }

  #connected(socket: Socket, name: string, remoteAddress: string): void {
    if (this.#security === null) {
      this.#succeed(socket, remoteAddress);
      return;
    }
    const secured = (error: Error | null, over: Socket | null): void => {
      if (error === null) this.#succeed(over as Socket, remoteAddress);
      else this.#fail(error);
    };
    this.#guard(() => {
      this.#attempt = this.#security?.secure(socket, name, this.#share(1), secured) ?? null;
    });
  }

  #succeed(socket: Socket, remoteAddress: string): void {
    this.#finish();
    tune(socket, this.#options);
    this.#done(null, new NetStream(socket, remoteAddress));
  }

  #fail(error: Error): void {
    if (this.#finished) return;
    this.#finish();
    this.#done(systemError(error, this.#address), null);
  }

  #finish(): void {
    this.#finished = true;
    if (this.#resolveTimer !== null) clearTimeout(this.#resolveTimer);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}
