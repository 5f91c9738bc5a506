import type { Context } from "../../sockets/index.ts";
import type { Config } from "../config/config.ts";
import type { PublisherApi, PublisherStats, SubscriberApi, SubscriberStats } from "../driver/api.ts";
import type { OnError } from "../driver/reporter.ts";
import type { Store } from "../store/store.ts";
import type { ServiceTableStats } from "./service-table.ts";

export interface PublisherServiceOptions {
  /** What {@link loadConfig} returns, or a part of it; the rest has its defaults. Neither environment nor file is looked at. */
  config?: Partial<Config>;
  /** Where events go. Default: the publisher of `pub_sub_driver`. */
  publisher?: PublisherApi;
  /** Where events come from; null: nowhere. Default: the subscriber of `pub_sub_multiproc_driver`, with `pub_sub_use_multiproc`. */
  subscriber?: SubscriberApi | null;
  /** Where the publisher table is. Without it none is kept: subscribers need to be told our address otherwise. */
  store?: Store;
  /** ms that one call of the store may take. Default 5000. */
  storeTimeout?: number;
  /** The fully-qualified name of this host, for our id. Default: what the system's resolver says. */
  hostName?: string;
  /** For our id. Default "MainProcess", as Dragonflow's. */
  processName?: string;
  /** Hears of what went wrong and was coped with. Default: a process warning, at most one in ten seconds. */
  onError?: OnError;
  /** The runtime. Default: the process's own. */
  context?: Context;
}

/** The names of all options. */
export const SERVICE_OPTION_NAMES: readonly string[] = [
  "config",
  "publisher",
  "subscriber",
  "store",
  "storeTimeout",
  "hostName",
  "processName",
  "onError",
  "context",
];

/** What the service tells of itself; `publisher` and `subscriber` have more to tell of their connections. */
export interface ServiceEvents {
  /**
   * Events are taken and published from now on. `publisher` and `subscriber`: where they are bound, as far as the drivers tell;
   * `uri`: where others find us.
   */
  listening: { type: "listening"; uri: string; publisher: string | null; subscriber: string | null };
  /** Our row was written to the publisher table where there was none, or none of ours. */
  registered: { type: "registered"; id: string; uri: string };
  /** So many events were not published, or not to every subscriber; a `sync` follows. */
  dropped: { type: "dropped"; count: number };
  /** All subscribers were told to read the database. */
  sync: { type: "sync" };
}

/** Counts since the object was made. */
export interface ServiceStats {
  /** Events that went on to the publisher. */
  forwarded: number;
  /** Events that the publisher refused. */
  failed: number;
  /** `sync` events published because something was lost on the way to us, or here. */
  syncs: number;
  /** null without a store. */
  table: ServiceTableStats | null;
  publisher: PublisherStats;
  subscriber: SubscriberStats | null;
}
