import type { RedisClient } from "../../redis-resp/index.ts";
import { DBKeyNotFoundError } from "../errors.ts";
import type { Store } from "../store.ts";

/** What a store needs of a client: one of a single server, of a cluster, or found by sentinels. */
export type HashCommands = Pick<RedisClient, "hget" | "hset" | "hdel" | "hkeys">;

/**
 * A store in Redis: a hash for each table, by its name, with a field for each row.
 *
 * All methods reject as the client does; those that may have been carried out (EUNKNOWN) can be called again.
 */
export class RedisStore implements Store {
  readonly #client: HashCommands;

  /** @param client stays the caller's, who closes it. */
  constructor(client: HashCommands) {
    this.#client = client;
  }

  async getKey(table: string, key: string): Promise<string> {
    const value = await this.#client.hget(table, key, { text: true });
    if (value === null) throw new DBKeyNotFoundError(key);
    return value;
  }

  /** Looks first whether the row is there: one that is deleted in that very moment comes back. */
  async setKey(table: string, key: string, value: string): Promise<void> {
    await this.getKey(table, key);
    await this.createKey(table, key, value);
  }

  async createKey(table: string, key: string, value: string): Promise<void> {
    await this.#client.hset(table, new Map([[key, value]]));
  }

  async deleteKey(table: string, key: string): Promise<void> {
    if ((await this.#client.hdel(table, key)) === 0) throw new DBKeyNotFoundError(key);
  }

  async getAllKeys(table: string): Promise<string[]> {
    return this.#client.hkeys(table, { text: true });
  }
}
