import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { readNames } from "./support/imports.ts";

/**
 * Who may import whom. A layer is a folder of src; `errors` is src/errors.ts and `entry` every other file that lies
 * directly in src. A layer may always import itself and errors.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cli: ["entry", "drivers", "runtime"],
  drivers: ["sockets", "redis-resp", "entry", "runtime"],
  entry: ["sockets", "zmtp", "transports", "redis-resp", "runtime"],
  sockets: ["zmtp", "transports", "runtime"],
  "redis-resp": ["transports", "runtime"],
  runtime: ["transports"],
  transports: [],
  zmtp: [],
  errors: [],
};
/** The folders within a layer, from the lowest: each may import those before it. Files beside them may import all. */
const FOLDERS: Readonly<Record<string, readonly string[]>> = {
  "redis-resp": ["protocol", "connection", "client", "pubsub", "cluster", "sentinel", "broker"],
  drivers: ["event", "config", "sync", "driver", "store", "zmq", "redis", "service"],
};
const MAY_IMPORT_NODE = ["cli", "transports", "entry", "drivers"];
/** The one file in a layer that meets Node for it. */
const MEETS_NODE = ["runtime/node.ts"];
/** Only drivers may need packages: the core entry has no dependency at run time. */
const MAY_IMPORT_PACKAGES = ["drivers"];

const RUNTIME =
  "process setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask Date " +
  "performance Math.random console require module __dirname __filename import.meta global globalThis eval Function";
/**
 * zmtp is to run anywhere, with time as an argument: no Node, timer, clock or randomness, and no door to them. sockets
 * and redis-resp take all that from their environment.
 */
const MUST_NOT_NAME: Readonly<Record<string, readonly string[]>> = {
  zmtp: `${RUNTIME} Buffer NodeJS crypto EventEmitter EventTarget fetch WebSocket`.split(" "),
  sockets: RUNTIME.split(" "),
  "redis-resp": RUNTIME.split(" "),
};

/** @returns one sentence per broken rule; `file` is a path relative to src. */
function violations(file: string, source: string): string[] {
  const layer = layerOf(file);
  if (!(layer in MAY_IMPORT)) return [`${file}: there is no layer ${layer}`];
  const { imports, globals } = readNames(source);
  const named = (MUST_NOT_NAME[layer] ?? []).filter((name) => globals.has(name));
  return [
    ...imports.flatMap((specifier) => importViolation(file, layer, specifier) ?? []),
    ...named.map((name) => `${file}: ${layer} must not name ${name}`),
  ];
}

function importViolation(file: string, layer: string, specifier: string): string | null {
  if (specifier.startsWith(".")) {
    const target = layerOf(posix.join(posix.dirname(file), specifier));
    if (target === layer) return folderViolation(file, layer, posix.join(posix.dirname(file), specifier));
    const allowed = target === "errors" || MAY_IMPORT[layer]?.includes(target);
    return allowed ? null : `${file}: ${layer} must not import ${target} (${specifier})`;
  }
  if (specifier.startsWith("node:")) {
    const allowed = MAY_IMPORT_NODE.includes(layer) || MEETS_NODE.includes(file);
    return allowed ? null : `${file}: ${layer} must not import ${specifier}`;
  }
  if (isBuiltin(specifier)) return `${file}: write node:${specifier}`;
  const allowed = MAY_IMPORT_PACKAGES.includes(layer);
  return allowed ? null : `${file}: ${layer} must not import the package ${specifier}`;
}

/** Both lie in the same layer. */
function folderViolation(file: string, layer: string, imported: string): string | null {
  const order = FOLDERS[layer];
  const [from, to] = [folderOf(file), folderOf(imported)];
  if (order === undefined || from === null || to === null || from === to) return null;
  return order.indexOf(to) < order.indexOf(from) ? null : `${file}: ${from} must not import ${to}`;
}

/** Null: beside the folders. */
function folderOf(path: string): string | null {
  const [, folder, ...rest] = path.split("/");
  return rest.length > 0 && folder !== undefined ? folder : null;
}

function layerOf(path: string): string {
  const [first = "", ...rest] = path.split("/");
  if (rest.length > 0) return first;
  return first === "errors.ts" ? "errors" : "entry";
}

describe("layers: imports go down only", () => {
  const root = new URL("../src/", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );

  it.each(files)("src/%s", (file) => {
    expect(violations(file, readFileSync(new URL(file, root), "utf8"))).toEqual([]);
  });

  it("zmtp and transports are there", () => {
    expect(files.map(layerOf)).toEqual(expect.arrayContaining(["zmtp", "transports"]));
  });
});

describe("layers: the check itself", () => {
  const allowed: [file: string, source: string][] = [
    [
      "zmtp/frame.ts",
      'import { ProtocolError } from "../errors.ts"; import type { Event } from "./event.ts";',
    ],
    [
      "zmtp/frame.ts",
      "type T = { Date: 1; process(): void }; export const f = (t: T) => t.Date ?? { Buffer: 1 };",
    ],
    [
      "sockets/pipe.ts",
      'import { Connection } from "../zmtp/index.ts"; import "../transports/transport.ts";',
    ],
    ["transports/tcp.ts", 'import { connect } from "node:net";'],
    ["sockets/pipe.ts", "export const f = (e: { now(): number; process: Buffer }): number => e.now();"],
    [
      "drivers/event/codec.ts",
      'import { decode } from "@msgpack/msgpack"; import { hostname } from "node:os";',
    ],
    [
      "index.ts",
      'export * from "./sockets/publisher.ts"; import "./transports/tcp.ts"; import "node:crypto";',
    ],
    [
      "cli/publisher-service.ts",
      'import "../drivers/index.ts"; import "../index.ts"; import "node:process";',
    ],
    [
      "redis-resp/connection/link.ts",
      'import "../../transports/tcp.ts"; import "../../runtime/node.ts"; import "../protocol/decoder.ts";',
    ],
    [
      "drivers/service/table.ts",
      'import "../load-driver.ts"; import "./row.ts"; import "../event/codec.ts";',
    ],
    ["runtime/node.ts", 'import "node:diagnostics_channel"; setTimeout(() => {}, 1);'],
  ];
  it.each(allowed)("%s may: %s", (file, source) => {
    expect(violations(file, source)).toEqual([]);
  });

  const planted: [file: string, source: string, complaint: string][] = [
    ["zmtp/frame.ts", 'import { tcp } from "../transports/tcp.ts";', "zmtp must not import transports"],
    [
      "transports/tcp.ts",
      'import type { Frame } from "../zmtp/frame.ts";',
      "transports must not import zmtp",
    ],
    ["transports/tcp.ts", 'export * from "../sockets/pipe.ts";', "transports must not import sockets"],
    [
      "sockets/pipe.ts",
      'const d = await import("../drivers/zmq/zmq.ts");',
      "sockets must not import drivers",
    ],
    ["sockets/pipe.ts", 'import "../index.ts";', "sockets must not import entry"],
    [
      "drivers/zmq/zmq.ts",
      'import { Connection } from "../../zmtp/index.ts";',
      "drivers must not import zmtp",
    ],
    ["redis-resp/client.ts", 'import "../sockets/pipe.ts";', "redis-resp must not import sockets"],
    [
      "redis-resp/protocol/decoder.ts",
      'import type { Link } from "../connection/link.ts";',
      "protocol must not import connection",
    ],
    ["drivers/zmq/zmq.ts", 'import "../service/service-table.ts";', "zmq must not import service"],
    ["errors.ts", 'import "./zmtp/frame.ts";', "errors must not import zmtp"],
    ["index.ts", 'import "./drivers/index.ts";', "entry must not import drivers"],
    ["zmtp/frame.ts", 'import { isUtf8 } from "node:buffer";', "zmtp must not import node:buffer"],
    ["zmtp/index.ts", 'type Net = import("node:net").Socket;', "zmtp must not import node:net"],
    ["sockets/pipe.ts", 'import { randomInt } from "node:crypto";', "sockets must not import node:crypto"],
    ["redis-resp/client.ts", 'import "node:net";', "redis-resp must not import node:net"],
    ["redis-resp/client.ts", "setTimeout(() => {}, 1);", "redis-resp must not name setTimeout"],
    ["runtime/emitter.ts", 'import "node:events";', "runtime must not import node:events"],
    ["runtime/node.ts", 'import "../sockets/index.ts";', "runtime must not import sockets"],
    ["transports/tcp.ts", 'import net from "net";', "write node:net"],
    [
      "sockets/pipe.ts",
      'import { decode } from "@msgpack/msgpack";',
      "must not import the package @msgpack/msgpack",
    ],
    [
      "zmtp/frame.ts",
      "const load = (name: string) => import(name);",
      "must not import the package import(?)",
    ],
    ["zmtp/frame.ts", "const a = Buffer.alloc(1);", "zmtp must not name Buffer"],
    ["zmtp/frame.ts", "export function f(bytes: Buffer): void {}", "zmtp must not name Buffer"],
    ["zmtp/frame.ts", "const now = () => Date.now();", "zmtp must not name Date"],
    ["zmtp/frame.ts", "setTimeout(() => {}, 1);", "zmtp must not name setTimeout"],
    ["zmtp/frame.ts", "const debug = { process }.process;", "zmtp must not name process"],
    ["zmtp/frame.ts", "const t = globalThis['setTimeout'];", "zmtp must not name globalThis"],
    ["zmtp/frame.ts", "const here = import.meta.url;", "zmtp must not name import.meta"],
    ["zmtp/frame.ts", "const id = Math.random();", "zmtp must not name Math.random"],
    ["sockets/pipe.ts", "const timer = setTimeout(() => {}, 1);", "sockets must not name setTimeout"],
    ["utils/bytes.ts", "export const a = 1;", "there is no layer utils"],
  ];
  it.each(planted)("%s may not: %s", (file, source, complaint) => {
    expect(violations(file, source)).toEqual([expect.stringContaining(complaint)]);
  });
});
