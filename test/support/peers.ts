import { execFileSync } from "node:child_process";
import { describe } from "vitest";

/** Debian's Python 3, when it has pyzmq (package `python3-zmq`); else null. */
export const python: string | null = probe("/usr/bin/python3", ["-c", "import zmq"]);

/**
 * A `describe` whose tests need pyzmq and are given the interpreter. Where it is missing they are skipped, their names
 * still listed; with `CI=true` that is an error instead.
 */
export function describeWithPython(name: string, body: (python: string) => void): void {
  requirePeer(python, "python3-zmq");
  describe.skipIf(python === null)(name, () => body(python ?? "/usr/bin/python3"));
}

/** @throws {Error} when a peer that has to be there in CI is not. */
export function requirePeer(
  found: string | null,
  debianPackage: string,
  ci: string | undefined = process.env.CI,
): void {
  if (found === null && ci === "true")
    throw new Error(`${debianPackage} is missing: run \`npm test\` as root`);
}

/** @returns the command, or null when it does not run through. */
export function probe(command: string, args: readonly string[]): string | null {
  try {
    execFileSync(command, args, { stdio: "ignore", timeout: 10_000 });
    return command;
  } catch {
    return null;
  }
}
