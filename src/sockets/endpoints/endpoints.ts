import { ZmqError } from "../../errors.ts";
import type { Transport } from "../../transports/transport.ts";
import { checkInprocAddress } from "../context/inproc-names.ts";
import type { Core } from "../core.ts";
import type { PeerStats } from "../stats.ts";
import { Acceptor } from "./acceptor.ts";
import { Dialer } from "./dialer.ts";
import type { Endpoint } from "./endpoint.ts";
import { InprocBinding } from "./inproc-binding.ts";
import { InprocEndpoint } from "./inproc-endpoint.ts";

/**
 * The endpoints of one socket: those that it has bound and dials, and those that are closed but still send what they had.
 * As in libzmq, what undoes a `bind` undoes a `connect` too: an endpoint is known by its address alone.
 */
export class Endpoints {
  readonly #core: Core;
  /** By which addresses each one can be removed; none once it has been. */
  readonly #names = new Map<Endpoint, readonly string[]>();
  readonly #binding = new Set<Promise<void>>();
  #last: string | null = null;
  #isClosed = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** ZMQ_LAST_ENDPOINT: the address last bound, as it really is, or last dialled, as it was given. */
  get last(): string | null {
    return this.#last;
  }

  /** @throws {ZmqError} by rejection; EBADF when `close` came meanwhile. */
  bind(address: string): Promise<void> {
    const bound = this.#listen(address);
    const settled = bound.then(
      () => {},
      () => {},
    );
    this.#binding.add(settled);
    void settled.then(() => this.#binding.delete(settled));
    return bound;
  }

  /** @param twice whether another connection to an address that is there already is wanted. */
  connect(address: string, twice: boolean): void {
    const scheme = this.#schemeOf(address);
    const isThere = !twice && this.#find(address).length > 0;
    if (scheme === "inproc") this.#connectInproc(address, isThere);
    else this.#dial(address, this.#transport(scheme), isThere);
    this.#last = address;
  }

  /**
   * Closes all endpoints with this address, whether bound or dialled. @returns a promise for each that resolves when lingering
   * is over. @throws {ZmqError} ENOENT when there are none; EINVAL, EPROTONOSUPPORT.
   */
  remove(address: string): Promise<void>[] {
    this.#schemeOf(address);
    const found = this.#find(address);
    if (found.length === 0) throw new ZmqError("ENOENT", undefined, { address });
    return found.map((endpoint) => this.#end(endpoint));
  }

  /** Resolves when lingering is over. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...[...this.#names.keys()].map((endpoint) => this.#end(endpoint)), ...this.#binding]);
  }

  /** Whether there are any, or will be when a `bind` is done. */
  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#binding.size === 0;
  }

  /** Messages that wait for a peer in another process. */
  get unsent(): number {
    let count = 0;
    for (const endpoint of this.#names.keys()) count += endpoint.unsent;
    return count;
  }

  /** An option was set that takes effect at once. */
  optionsChanged(): void {
    for (const endpoint of [...this.#names.keys()]) endpoint.optionsChanged();
  }

  stats(): PeerStats[] {
    return [...this.#names.keys()].flatMap((endpoint) => endpoint.stats());
  }

  #dial(address: string, transport: Transport, isThere: boolean): void {
    transport.check(address, "connect");
    if (isThere) return;
    const dialer = new Dialer(this.#core, address, transport, () => this.#names.delete(dialer));
    this.#names.set(dialer, [address]);
    dialer.start();
  }

  #connectInproc(address: string, isThere: boolean): void {
    checkInprocAddress(address);
    if (isThere) return;
    const endpoint = this.#inprocEndpoint(address);
    this.#core.context.inproc.assertMayConnect(endpoint.pipe);
    this.#names.set(endpoint, [address]);
    endpoint.pipe.connect();
  }

  /** Done when this returns: a connect that follows in the same turn finds the name. */
  #bindInproc(address: string): void {
    checkInprocAddress(address);
    const binding = new InprocBinding(this.#core, address, () => {
      const endpoint = this.#inprocEndpoint(address);
      this.#names.set(endpoint, []);
      return endpoint.pipe;
    });
    this.#core.context.inproc.bind(binding);
    this.#names.set(binding, [address]);
    this.#last = address;
  }

  #inprocEndpoint(address: string): InprocEndpoint {
    return new InprocEndpoint(this.#core, address, (endpoint) => this.#names.delete(endpoint));
  }

  async #listen(address: string): Promise<void> {
    const scheme = this.#schemeOf(address);
    if (scheme === "inproc") {
      this.#bindInproc(address);
      return;
    }
    const transport = this.#transport(scheme);
    transport.check(address, "bind");
    const acceptor = new Acceptor(this.#core);
    const release = this.#core.context.environment.hold();
    try {
      await acceptor.listen(address, transport);
    } catch (error) {
      this.#core.events.emit({ type: "bind:error", address, error: error as ZmqError });
      throw error;
    } finally {
      release();
    }
    const tooLate = this.#isClosed;
    this.#names.set(acceptor, [acceptor.address, address]);
    this.#last = acceptor.address;
    this.#core.events.emit({ type: "bind", address: acceptor.address });
    if (!tooLate) return;
    await this.#end(acceptor);
    throw new ZmqError("EBADF", undefined, { address });
  }

  async #end(endpoint: Endpoint): Promise<void> {
    if (this.#names.has(endpoint)) this.#names.set(endpoint, []);
    await endpoint.close(this.#core.options.linger);
    this.#names.delete(endpoint);
  }

  #find(address: string): Endpoint[] {
    return [...this.#names].filter(([, names]) => names.includes(address)).map(([endpoint]) => endpoint);
  }

  /** @throws {ZmqError} EINVAL, EPROTONOSUPPORT. */
  #schemeOf(address: string): string {
    const scheme = /^([^:]+):\/\/./.exec(address)?.[1];
    if (scheme === undefined) throw new ZmqError("EINVAL", undefined, { address });
    const { transports } = this.#core.context.environment;
    if (scheme !== "inproc" && !Object.hasOwn(transports, scheme))
      throw new ZmqError("EPROTONOSUPPORT", undefined, { address });
    return scheme;
  }

  #transport(scheme: string): Transport {
    return this.#core.context.environment.transports[scheme] as Transport;
  }
}
