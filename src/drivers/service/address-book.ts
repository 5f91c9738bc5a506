import type { Emitter } from "../../sockets/index.ts";
import type { SubscriberApi } from "../driver/api.ts";

export interface AddressEvents {
  /** A publisher is listened to, for the first of its reasons. */
  registered: { type: "registered"; uri: string };
  /** None of its reasons is left. */
  unregistered: { type: "unregistered"; uri: string };
}

/** The source of the addresses that were configured; no publisher's id is a symbol. */
const CONFIGURED = Symbol("configured");
type SourceOfAddress = string | typeof CONFIGURED;

/** One address, however it is spelled, and who wants it. */
interface Entry {
  /** As it was registered. */
  readonly uri: string;
  readonly sources: Set<SourceOfAddress>;
}

/** Counts who wants an address: it is registered with the first, and unregistered with the last. */
export class AddressBook {
  readonly #subscriber: Pick<SubscriberApi, "registerListenAddress" | "unregisterListenAddress">;
  readonly #events: Emitter<AddressEvents>;
  readonly #localIp: string | null;
  /** By what {@link #same} makes of the address. */
  readonly #entries = new Map<string, Entry>();
  /** The addresses of the publishers in the table, by id. */
  readonly #publishers = new Map<string, string>();

  constructor(
    subscriber: Pick<SubscriberApi, "registerListenAddress" | "unregisterListenAddress">,
    events: Emitter<AddressEvents>,
    localIp: string | null,
  ) {
    this.#subscriber = subscriber;
    this.#events = events;
    this.#localIp = localIp;
  }

  get addresses(): string[] {
    return [...this.#entries.values()].map(({ uri }) => uri);
  }

  /** The ids of the publishers in the table. */
  get publishers(): string[] {
    return [...this.#publishers.keys()];
  }

  /** @throws {ZmqError} for what is no address. */
  configure(uri: string): void {
    this.#add(uri, CONFIGURED);
  }

  /** A publisher is at this address, and nowhere else. @throws {ZmqError} for what is no address; nothing has changed then. */
  enter(id: string, uri: string): void {
    const old = this.#publishers.get(id);
    if (old === uri) return;
    this.#add(uri, id);
    this.#publishers.set(id, uri);
    if (old !== undefined && this.#same(old) !== this.#same(uri)) this.#drop(old, id);
  }

  /** A publisher has left the table. */
  remove(id: string): void {
    const uri = this.#publishers.get(id);
    if (uri === undefined) return;
    this.#publishers.delete(id);
    this.#drop(uri, id);
  }

  #add(uri: string, source: SourceOfAddress): void {
    const same = this.#same(uri);
    const entry = this.#entries.get(same);
    if (entry !== undefined) {
      entry.sources.add(source);
      return;
    }
    this.#subscriber.registerListenAddress(uri);
    this.#entries.set(same, { uri, sources: new Set([source]) });
    this.#events.emit({ type: "registered", uri });
  }

  #drop(uri: string, source: SourceOfAddress): void {
    const same = this.#same(uri);
    const entry = this.#entries.get(same);
    entry?.sources.delete(source);
    if (entry === undefined || entry.sources.size > 0) return;
    this.#entries.delete(same);
    this.#subscriber.unregisterListenAddress(entry.uri);
    this.#events.emit({ type: "unregistered", uri: entry.uri });
  }

  /** One text for one publisher: host names have no case, and this host has two addresses for itself. */
  #same(uri: string): string {
    const match = /^([^:]+:\/\/)(.+):(\d+)$/.exec(uri.toLowerCase());
    if (match === null || this.#localIp === null) return uri.toLowerCase();
    const [, scheme, host, port] = match;
    const own = host === "127.0.0.1" || host === "localhost" || host === "[::1]";
    return `${scheme}${own ? bracketed(this.#localIp) : host}:${port}`;
  }
}

function bracketed(ip: string): string {
  return ip.includes(":") ? `[${ip.toLowerCase()}]` : ip;
}
