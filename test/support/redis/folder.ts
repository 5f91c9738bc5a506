import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

let root: string | null = null;

/** A new folder for one server. It goes with this process, even when that is killed: a shell waits for its end. */
export function serverFolder(): string {
  return mkdtempSync(join(rootFolder(), "server-"));
}

/** The folder that holds all that the servers of this process need. */
export function rootFolder(): string {
  if (root === null) {
    root = mkdtempSync(join(tmpdir(), "zmtp-redis-"));
    removeAtOurEnd(root);
  }
  return root;
}

function removeAtOurEnd(folder: string): void {
  const guard = spawn("/bin/sh", ["-c", 'cat >/dev/null; rm -rf "$1"', "sh", folder], {
    detached: true, // else Ctrl-C would reach it too
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  (guard.stdin as Socket).unref();
}
