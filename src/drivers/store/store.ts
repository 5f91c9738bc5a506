import { DBKeyNotFoundError } from "../errors.ts";

/**
 * The database as the drivers need it: tables of rows, a row is a text (JSON, by Dragonflow's custom) under a key. All
 * methods are asynchronous and reject with what the database reports.
 */
export interface Store {
  /** @throws {DBKeyNotFoundError} */
  getKey(table: string, key: string): Promise<string>;
  /** Changes a row that exists. @throws {DBKeyNotFoundError} */
  setKey(table: string, key: string, value: string): Promise<void>;
  /** Writes a row, whether it exists or not: who registers again after a restart finds the old row. */
  createKey(table: string, key: string, value: string): Promise<void>;
  /** @throws {DBKeyNotFoundError} */
  deleteKey(table: string, key: string): Promise<void>;
  /** The keys of a table in any order; none for a table that has no rows. */
  getAllKeys(table: string): Promise<string[]>;
}

/** A store in this process' memory, for tests and examples. */
export class MemoryStore implements Store {
  readonly #tables = new Map<string, Map<string, string>>();

  async getKey(table: string, key: string): Promise<string> {
    return this.#row(table, key);
  }

  async setKey(table: string, key: string, value: string): Promise<void> {
    this.#row(table, key);
    await this.createKey(table, key, value);
  }

  async createKey(table: string, key: string, value: string): Promise<void> {
    for (const text of [table, key, value]) {
      if (typeof text !== "string") throw new TypeError("table, key and value must be strings");
    }
    const rows = this.#tables.get(table) ?? new Map<string, string>();
    this.#tables.set(table, rows.set(key, value));
  }

  async deleteKey(table: string, key: string): Promise<void> {
    this.#row(table, key);
    const rows = this.#tables.get(table)!;
    rows.delete(key);
    if (rows.size === 0) this.#tables.delete(table);
  }

  async getAllKeys(table: string): Promise<string[]> {
    return [...(this.#tables.get(table)?.keys() ?? [])];
  }

  #row(table: string, key: string): string {
    const value = this.#tables.get(table)?.get(key);
    if (value === undefined) throw new DBKeyNotFoundError(key);
    return value;
  }
}
