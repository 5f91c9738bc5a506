import { execFile } from "node:child_process";
import { mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL("bench.c", import.meta.url));
const FOLDER = fileURLToPath(new URL("../../.cache/bench", import.meta.url));

export const INSTALL_COMMAND = "apt-get install -y gcc libc6-dev libzmq3-dev";

export interface LibzmqProgram {
  path: string;
  /** Of the libzmq that it runs with. */
  version: string;
}

/** Compiles libzmq's program unless it is up to date. @throws when there is no compiler or no libzmq3-dev. */
export async function buildLibzmqProgram(): Promise<LibzmqProgram> {
  const path = `${FOLDER}/libzmq-bench`;
  if (!(await isNewer(path, SOURCE))) {
    await mkdir(FOLDER, { recursive: true });
    await run("cc", ["-O2", "-Wall", "-Wextra", "-o", path, SOURCE, "-lzmq"]);
  }
  const { stdout } = await run(path, ["version"]);
  return { path, version: stdout.trim() };
}

async function isNewer(path: string, than: string): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs > (await stat(than)).mtimeMs;
  } catch {
    return false;
  }
}
