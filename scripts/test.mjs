#!/usr/bin/env node
// npm test [-- vitest arguments]: brings the real peers, then lint, types, build and the whole suite. Every step runs,
// whatever became of the others. With ZMTP_TEST_SUMMARY=FILE the closing line goes there.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bringPeers } from "./peers.mjs";
import { countTests, summaryLine } from "./summary.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "zmtp-test-"));
const report = join(folder, "vitest.json");

const steps = {
  peers: bringPeers,
  lint: () => run("node_modules/.bin/biome", ["check", "."]),
  typecheck: () => run("node_modules/.bin/tsc", ["-p", "."]),
  build: () => run(process.execPath, ["scripts/build.mjs"]),
  vitest: () =>
    run("node_modules/.bin/vitest", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ]),
};

const failed = [];
try {
  for (const [name, step] of Object.entries(steps)) {
    console.log(`\n--- ${name}`);
    if (!step()) failed.push(name);
  }
  const line = summaryLine(countTests(readReport()), failed);
  if (failed.length > 0) console.error(`\nFailed: ${failed.join(", ")}`);
  if (process.env.ZMTP_TEST_SUMMARY) writeFileSync(process.env.ZMTP_TEST_SUMMARY, `${line}\n`);
  else console.log(`\n${line}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed.length > 0 ? 1 : 0;

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) console.error(error.message);
  return status === 0;
}

/** What vitest wrote, or null when it did not get that far. */
function readReport() {
  try {
    return JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return null;
  }
}
