#!/usr/bin/env node
// Builds dist/ from nothing: each public entry as ESM and CommonJS with types for both, and the command as ESM.
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "tsup";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const entries = {
  index: "src/index.ts",
  protocol: "src/zmtp/index.ts",
  redis: "src/redis-resp/index.ts",
  dragonflow: "src/drivers/index.ts",
};
const command = { "dragonflow-publisher-service": "src/cli/publisher-service.ts" };

const common = {
  config: false,
  silent: true,
  outDir: "dist",
  platform: "node",
  target: "es2022",
  // Bundlers and other runtimes want `node:net`, not `net`.
  removeNodeProtocol: false,
  // The passes share a folder, so none may sweep it.
  clean: false,
};

/** A relative import of an ESM file becomes one of its CommonJS twin, and is left unbundled. */
const twins = {
  name: "twins",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/.*\.js$/ }, ({ kind, path }) =>
      kind === "entry-point" ? null : { path: path.replace(/\.js$/, ".cjs"), external: true },
    );
  },
};

await rm("dist", { recursive: true, force: true });
// Splitting leaves one copy of each class for all entries, so that instanceof holds across them.
await build({ ...common, format: "esm", entry: { ...entries, ...command }, splitting: true });
// CommonJS is made from the split ESM files, one for one. tsup's own splitting for CommonJS goes through a lowering to
// ES2019 that puts a closure behind every `??` and changes the order in which fields are initialised.
const files = (await readdir("dist")).filter(
  (name) => !Object.keys(command).includes(name.replace(/\.js$/, "")),
);
await build({
  ...common,
  format: "cjs",
  entry: files.map((name) => `./dist/${name}`),
  splitting: false,
  esbuildPlugins: [twins],
});
await build({ ...common, format: ["esm", "cjs"], entry: entries, dts: { only: true } });
