import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A function that makes new ipc endpoints in a folder of their own, which goes when the file's tests are over. */
export function useIpcAddresses(): () => string {
  const folder = mkdtempSync(join(tmpdir(), "zmtp-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  return () => {
    count += 1;
    return `ipc://${join(folder, String(count))}`;
  };
}
