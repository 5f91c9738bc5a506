import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const execute = promisify(execFile);
const isCheckout = existsSync(join(root, ".git"));

/** What git has or would take: what a clone has once the work is committed. */
function sources(): string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const names = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0");
  return names.filter((name) => name !== "" && existsSync(join(root, name)));
}

describe.skipIf(!isCheckout)("a clean checkout (skipped where there is no git repository)", () => {
  let folder: string;
  const shell = (command: string) => execute("sh", ["-c", command], { cwd: folder, timeout: 180_000 });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "zmtp-checkout-"));
    for (const name of sources()) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      copyFileSync(join(root, name), join(folder, name));
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("runs the README's first command, and leaves nothing but node_modules", async () => {
    const command = "npm ci && npm start";
    expect(readFileSync(join(folder, "README.md"), "utf8")).toContain(`\n${command} `);
    const before = readdirSync(folder);
    const { stdout } = await shell(`${command} -- --seconds 3 --rate 500`);
    expect(stdout).toMatch(/^OK: every event was received, or covered by a later sync$/m);
    expect(readdirSync(folder).sort()).toEqual([...before, "node_modules"].sort());
  }, 200_000);
});
