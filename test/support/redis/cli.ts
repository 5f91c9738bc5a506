import { execFile } from "node:child_process";

/** How a command reaches a server: what redis-cli takes before it. */
export interface CliTarget {
  readonly port: number;
  readonly ca?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Runs one command through redis-cli. @returns its answer as text, items on lines. Rejects when the answer is an error. */
export function redisCli(
  target: CliTarget | number,
  ...command: readonly (string | number)[]
): Promise<string> {
  const { port, ca, username, password } = typeof target === "number" ? { port: target } : target;
  const args = ["-e", "-h", "127.0.0.1", "-p", String(port)];
  if (ca !== undefined) args.push("--tls", "--cacert", ca);
  if (username !== undefined) args.push("--user", username);
  if (password !== undefined) args.push("-a", password, "--no-auth-warning");
  return new Promise((resolve, reject) => {
    const child = execFile(
      "/usr/bin/redis-cli",
      [...args, ...command.map(String)],
      { timeout: 10_000, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`redis-cli ${command.join(" ")}: ${stdout}${stderr}`, { cause: error }));
        else resolve(stdout.trimEnd());
      },
    );
    child.stdin?.end(); // without a terminal redis-cli reads it
  });
}
