#!/usr/bin/env node
// npm start [-- options]: builds the demo from its sources and runs it. All it writes is in one temporary folder, which goes
// with it: a build of its own, so that no other build takes a program away from under a process that is to be restarted.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsup";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const interrupted = (_signal, number) => process.exit(128 + number);
const signals = ["SIGHUP", "SIGINT", "SIGTERM"];
for (const signal of signals) process.on(signal, interrupted);

const folder = mkdtempSync(join(tmpdir(), "zmtp-demo-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const programs = ["main", "store", "service", "broker", "writer", "controller"];
await build({
  config: false,
  silent: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  outDir: folder,
  entry: Object.fromEntries(programs.map((name) => [name, `examples/demo/${name}.ts`])),
  // Next to the programs there is no node_modules.
  noExternal: [/.*/],
});

const { main } = await import(pathToFileURL(join(folder, "main.js")).href);
for (const signal of signals) process.off(signal, interrupted);
process.exitCode = await main(process.argv.slice(2), folder);
