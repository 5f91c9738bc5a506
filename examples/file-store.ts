import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
// In a project of your own: "zmtp/dragonflow".
import { DBKeyNotFoundError, type Store } from "../src/drivers/index.ts";

/** A database for several processes of one host: a folder for each table, a file for each row. */
export class FileStore implements Store {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  getKey(table: string, key: string): Promise<string> {
    return found(key, readFile(this.#row(table, key), "utf8"));
  }

  async setKey(table: string, key: string, value: string): Promise<void> {
    await this.getKey(table, key);
    await this.createKey(table, key, value);
  }

  async createKey(table: string, key: string, value: string): Promise<void> {
    await mkdir(this.#table(table), { recursive: true });
    // Under another name first: whoever reads sees the old row or the new one, whole.
    const written = join(this.#folder, `new-${randomUUID()}`);
    await writeFile(written, value);
    await rename(written, this.#row(table, key));
  }

  deleteKey(table: string, key: string): Promise<void> {
    return found(key, rm(this.#row(table, key)));
  }

  async getAllKeys(table: string): Promise<string[]> {
    const files = await readdir(this.#table(table)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return files.map((file) => decodeURIComponent(file.slice("row-".length)));
  }

  #table(table: string): string {
    return join(this.#folder, `table-${encodeURIComponent(table)}`);
  }

  #row(table: string, key: string): string {
    return join(this.#table(table), `row-${encodeURIComponent(key)}`);
  }
}

async function found<T>(key: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new DBKeyNotFoundError(key);
    throw error;
  }
}
