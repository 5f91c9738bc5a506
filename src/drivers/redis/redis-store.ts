import { type RedisClient, ReplyError } from "../../redis-resp/index.ts";
import { DBKeyNotFoundError } from "../errors.ts";
import type { Store } from "../store/store.ts";

/** What a store needs of a client: one of a single server, of a cluster, or found by sentinels. */
export type HashCommands = Pick<RedisClient, "hget" | "hset" | "hdel" | "hkeys" | "command">;

/** HSET for a field that exists. Redis has no such command before 8.0. */
const REPLACE = `
if redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return 1`;

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

  /**
   * In one step, by a script (EVAL). Where the server has no scripts for us, as `RedisBroker` or an ACL
   * without `+eval`, in two: a row that is deleted between them comes back.
   */
  async setKey(table: string, key: string, value: string): Promise<void> {
    try {
      // The options come last, so that a value which is an object is not taken for them.
      if ((await this.#client.command("EVAL", REPLACE, 1, table, key, value, {})) === 1) return;
    } catch (error) {
      if (!hasNoScripts(error)) throw error;
      await this.getKey(table, key);
      return this.createKey(table, key, value);
    }
    throw new DBKeyNotFoundError(key);
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

function hasNoScripts(error: unknown): boolean {
  return (
    error instanceof ReplyError && (error.code === "NOPERM" || /^ERR unknown command/.test(error.message))
  );
}
