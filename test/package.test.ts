import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNames } from "./support/imports.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
/** The one that the build is made with. */
const bundler = createRequire(createRequire(import.meta.url).resolve("tsup")).resolve("esbuild/bin/esbuild");
const execute = promisify(execFile);
const run = async (cwd: string, command: string, ...args: string[]): Promise<string> =>
  (await execute(command, args, { cwd, timeout: 60_000 })).stdout;

/** Uses every entry by its name: the same lines run as ESM and as CommonJS. */
const USE = `
  const pull = new zmtp.Pull();
  await pull.bind("tcp://127.0.0.1:*");
  const push = new zmtp.Push();
  push.connect(pull.lastEndpoint);
  await push.send(["over", "tcp"]);
  const parts = await pull.receive();
  assert.deepEqual(parts.map(String), ["over", "tcp"]);
  push.close();
  pull.close();

  const own = new zmtp.Context({ maxSockets: 5 });
  await new zmtp.Publisher({ context: own }).close();
  const readOnly = (name, kind) => ({ message: "Cannot set property " + name + " of #<" + kind + "> which has only a getter" });
  assert.throws(() => new zmtp.Push({ lastEndpoint: null }), readOnly("lastEndpoint", "Socket"));
  assert.throws(() => new zmtp.Context({ maxSocketsLimit: 1 }), readOnly("maxSocketsLimit", "Context"));

  const connection = new protocol.Connection({ socketType: "PUB", now: 0 });
  assert.equal(Buffer.concat(connection.output())[0], 0xff);

  const decoder = new redis.RespDecoder();
  decoder.push(redis.encodeCommand(["PUBLISH", "lport", "p1"]));
  assert.deepEqual(redis.asText(decoder.next()), ["PUBLISH", "lport", "p1"]);

  const event = { table: "lport", key: "p1", action: "create", value: "{}", topic: "t" };
  assert.equal(new dragonflow.DbUpdate(event).table, "lport");

  const shared = Object.keys(zmtp).filter((name) => name in protocol);
  assert.ok(shared.includes("ProtocolError"), "the entries share the error classes");
  for (const name of shared) assert.equal(zmtp[name], protocol[name], name + " is one and the same");
  assert.ok(new redis.ReplyError("ERR no") instanceof zmtp.ZmqError, "and their base");
  const entries = [zmtp, protocol, redis, dragonflow];
  for (const entry of entries)
    for (const [name, value] of Object.entries(entry))
      if (typeof value === "function") assert.equal(value.name, name);
  for (const entry of entries) console.log(Object.keys(entry).sort().join(" "));
`;

const ESM = `
import assert from "node:assert/strict";
import * as zmtp from "zmtp";
import * as protocol from "zmtp/protocol";
import * as redis from "zmtp/redis";
import * as dragonflow from "zmtp/dragonflow";
import { createRequire } from "node:module";
const other = createRequire(import.meta.url)("zmtp");
assert.equal(other.context, zmtp.context, "one default context for the process");
await new other.Push({ context: new zmtp.Context() }).close();
${USE}`;

const COMMON_JS = `
const assert = require("node:assert/strict");
const zmtp = require("zmtp");
const protocol = require("zmtp/protocol");
const redis = require("zmtp/redis");
const dragonflow = require("zmtp/dragonflow");
assert.equal(require("zmtp/package.json").name, "zmtp");
(async () => {${USE}})();`;

/** What a bundler gets. */
const APPLICATION = `
import { Pull, Push } from "zmtp";
import { DbUpdate } from "zmtp/dragonflow";
const run = async () => {
  const pull = new Pull();
  await pull.bind("tcp://127.0.0.1:*");
  const push = new Push();
  push.connect(pull.lastEndpoint);
  await push.send(["over", "tcp"]);
  const event = new DbUpdate({ table: "lport", key: "p1", action: "create", value: "{}", topic: "t" });
  console.log((await pull.receive()).join(" "), event.table);
  await Promise.all([push.close(), pull.close()]);
};
run();
`;

const TYPES = `
import { Pull } from "zmtp";
import { Connection } from "zmtp/protocol";
import { RespDecoder } from "zmtp/redis";
import { DbUpdate } from "zmtp/dragonflow";
type IsAny<T> = 0 extends 1 & T ? true : false;
export const resolved: [false, false, false, false] = [
  false satisfies IsAny<typeof Pull>,
  false satisfies IsAny<typeof Connection>,
  false satisfies IsAny<typeof RespDecoder>,
  false satisfies IsAny<typeof DbUpdate>,
];
`;

const COMPILER_OPTIONS = {
  module: "NodeNext",
  strict: true,
  noEmit: true,
  target: "ES2022",
  lib: ["ES2022", "ESNext.Disposable"],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
};

describe("the packed package", () => {
  let folder: string;
  let packed: string[];

  beforeAll(async () => {
    if (!existsSync(join(dist, "index.js"))) throw new Error("dist is missing: run `npm run build` first");
    folder = await mkdtemp(join(tmpdir(), "zmtp-package-"));
    const [tarball] = JSON.parse(await run(root, "npm", "pack", "--json", "--pack-destination", folder));
    packed = tarball.files.map((file: { path: string }) => file.path);
    const consumer = { private: true, type: "module" };
    await writeFile(join(folder, "package.json"), JSON.stringify(consumer));
    const flags = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
    await run(folder, "npm", "install", ...flags, join(folder, tarball.filename));
    await writeFile(join(folder, "use.mjs"), ESM);
    await writeFile(join(folder, "use.cjs"), COMMON_JS);
  }, 120_000);

  afterAll(async () => {
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("N-1, N-30: holds the built files and the papers, and nothing else", () => {
    const papers = packed.filter((path) => !path.startsWith("dist/")).sort();
    expect(papers).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "package.json"]);
    expect(packed.filter((path) => !/\.(js|cjs|d\.ts|d\.cts|md|json)$|^LICENSE$/.test(path))).toEqual([]);
    for (const entry of ["index", "protocol", "redis", "dragonflow"])
      for (const extension of ["js", "cjs", "d.ts", "d.cts"])
        expect(packed).toContain(`dist/${entry}.${extension}`);
  });

  it("N-1, N-30: runs nothing on install and needs no more than its few dependencies", () => {
    const lifecycle = /^(pre|post)?(install|prepare|publish|pack|uninstall|dependencies)$|^prepublishOnly$/;
    const { scripts, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(Object.keys(scripts).filter((name) => lifecycle.test(name))).toEqual([]);
    const installed = readdirSync(join(folder, "node_modules")).flatMap((name) =>
      name.startsWith("@")
        ? readdirSync(join(folder, "node_modules", name)).map((sub) => `${name}/${sub}`)
        : [name],
    );
    const expected = [...Object.keys(dependencies), "zmtp"].sort();
    expect(installed.filter((name) => !name.startsWith(".")).sort()).toEqual(expected);
  });

  it("N-23: every entry is used by name from ESM and CommonJS, which offer the same", async () => {
    const esm = await run(folder, process.execPath, "use.mjs");
    expect(esm.trim().split("\n")).toHaveLength(4);
    expect(await run(folder, process.execPath, "use.cjs")).toBe(esm);
  });

  it("the ESM and the CommonJS build share the names of inproc", async () => {
    await writeFile(
      join(folder, "both.mjs"),
      `import { createRequire } from "node:module";
      import * as esm from "zmtp";
      const commonJs = createRequire(import.meta.url)("zmtp");
      for (const [from, to] of [[esm, commonJs], [commonJs, esm]]) {
        const pull = new to.Pull();
        const push = new from.Push();
        push.connect("inproc://shared");
        await push.send(["a", new Uint8Array([98])]);
        await pull.bind("inproc://shared");
        console.log((await pull.receive()).map(String).join());
        const subscriber = new to.Subscriber();
        const publisher = new from.Publisher();
        await publisher.bind("inproc://topics");
        subscriber.connect("inproc://topics");
        subscriber.subscribe("t");
        await publisher.subscribed("t");
        console.log(await subscriber.confirmed());
        await publisher.send("topic");
        console.log(String(await subscriber.receive()));
        await Promise.all([pull, push, subscriber, publisher].map((socket) => socket.close()));
      }`,
    );
    const each = "a,b\nanswered\ntopic\n";
    expect(await run(folder, process.execPath, "both.mjs")).toBe(each + each);
  });

  it.each(["use.mjs", "use.cjs"])("N-1: node --no-addons %s", async (script) => {
    await expect(run(folder, process.execPath, "--no-addons", script)).resolves.toContain("DbUpdate");
  });

  it.each(["esm", "cjs"])(
    "N-12: bundled into one minified file (%s) it runs where there is no package",
    async (format) => {
      const elsewhere = await mkdtemp(join(tmpdir(), "zmtp-bundle-"));
      try {
        await writeFile(join(folder, "app.mjs"), APPLICATION);
        const bundle = join(elsewhere, format === "esm" ? "app.mjs" : "app.cjs");
        const options = [
          "--bundle",
          "--minify",
          "--platform=node",
          `--format=${format}`,
          `--outfile=${bundle}`,
        ];
        await run(folder, bundler, "app.mjs", "--log-level=warning", ...options);
        expect(await run(elsewhere, process.execPath, bundle)).toBe("over tcp lport\n");
      } finally {
        await rm(elsewhere, { recursive: true });
      }
    },
  );

  it("N-23: types resolve for ESM and CommonJS", async () => {
    await mkdir(join(folder, "types"));
    await writeFile(join(folder, "types/use.mts"), TYPES);
    await writeFile(join(folder, "types/use.cts"), TYPES);
    const tsconfig = { compilerOptions: COMPILER_OPTIONS, files: ["use.mts", "use.cts"] };
    await writeFile(join(folder, "types/tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const errors = await run(folder, process.execPath, tsc, "-p", "types").catch((error) => error.stdout);
    expect(errors).toBe("");
  }, 60_000);

  it("the protocol's types need neither Node's nor a newer library", async () => {
    await writeFile(
      join(folder, "types/protocol.mts"),
      'export { Connection, FrameDecoder } from "zmtp/protocol";',
    );
    const compilerOptions = { ...COMPILER_OPTIONS, lib: ["ES2022"], types: [] };
    const tsconfig = { compilerOptions, files: ["protocol.mts"] };
    await writeFile(join(folder, "types/tsconfig.json"), JSON.stringify(tsconfig));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const errors = await run(folder, process.execPath, tsc, "-p", "types").catch((error) => error.stdout);
    expect(errors).toBe("");
  }, 60_000);

  it("the command starts", async () => {
    const command = join(folder, "node_modules/.bin/dragonflow-publisher-service");
    expect(await run(folder, command, "--help")).toContain("--config-file");
  });
});

describe("dist", () => {
  const chunks = () => readdirSync(dist).filter((name) => /\.c?js$/.test(name));
  const importsOf = (name: string): string[] => readNames(readFileSync(join(dist, name), "utf8")).imports;

  it("N-12: names every builtin with node:", () => {
    const bare = (name: string) =>
      importsOf(name).filter((one) => isBuiltin(one) && !one.startsWith("node:"));
    expect(chunks().flatMap((name) => bare(name).map((specifier) => `${name}: ${specifier}`))).toEqual([]);
  });

  it.each([
    ["the core entry needs no package", "index", /^node:/],
    ["nor does Redis", "redis", /^node:/],
    ["the protocol needs nothing at all", "protocol", /^$/],
  ])("N-12, what an entry needs: %s", (_, entry, allowed) => {
    for (const extension of ["js", "cjs"]) {
      const outside = reachable(`${entry}.${extension}`, importsOf).filter((one) => !allowed.test(one));
      expect(outside).toEqual([]);
    }
  });

  it("the command is executable", () => {
    const command = join(dist, "dragonflow-publisher-service.js");
    expect(readFileSync(command, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
    expect(statSync(command).mode & 0o111).toBe(0o111);
  });
});

/** What a built file imports from outside dist, by itself or through its chunks. */
function reachable(start: string, importsOf: (name: string) => string[]): string[] {
  const seen = new Set([start]);
  const outside = new Set<string>();
  for (const name of seen) {
    for (const specifier of importsOf(name)) {
      if (specifier.startsWith("./")) seen.add(specifier.slice(2));
      else outside.add(specifier);
    }
  }
  return [...outside];
}
