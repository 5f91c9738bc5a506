import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { ConfigError } from "../errors.ts";
import { type ConfigGroups, parseConfigFile } from "./config-file.ts";
import { type Config, fileName, OPTIONS, type OptionSpec } from "./config-options.ts";
import { rejectUnknownOptions } from "./option-names.ts";

export type { Config } from "./config-options.ts";

export interface ConfigSources {
  /** Paths of oslo.config files such as dragonflow.ini: group `[df]`, and `ipc_socket` of `[df_zmq]`. Later ones go before. */
  readonly file?: string | readonly string[];
  /** `DF_PUBLISHER_PORT` is publisher_port; `DF_ZMQ_IPC_SOCKET` is ipc_socket. Default: this process' environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** By the names of {@link Config}. Texts may hold `$name` as in a file. */
  readonly values?: Partial<Config>;
  /** Hears of the keys that mean nothing here, once, without their values. Default: a process warning. */
  readonly onWarning?: (message: string) => void;
}

/** A value as it was given, and where. */
interface Given {
  readonly value: unknown;
  /** A text in it is what it says: no `$name` is left to be replaced. */
  readonly final?: boolean;
  /** For errors: the option as its source spells it, and the source. */
  readonly option: string;
  readonly source: string;
}

/** On a configuration that was loaded, and on what is spread from one: its texts are not to be completed a second time. */
const LOADED = Symbol("zmtp.loadedConfig");

const NAMES = Object.keys(OPTIONS) as readonly (keyof Config)[];
const BY_FILE_NAME = new Map(NAMES.map((name) => [fileName(name), name]));
/** The last Dragonflow's name of publisher_multiproc_socket. */
const IPC_SOCKET = { group: "df_zmq", key: "ipc_socket", env: "DF_ZMQ_IPC_SOCKET" };

/**
 * Dragonflow's options and ours, from values, else the environment, else the file, else the defaults. `$name` and `${name}`
 * in a text stand for another option, by its name in a file; `$$` and `\$` for a dollar sign.
 *
 * @returns frozen, complete.
 * @throws {UnknownOptionError} for a key of `values` that is no option. {@link ConfigError} EINVAL for a bad value anywhere,
 *   naming option, value and source, also when a better source overrides it; for a file that cannot be read or parsed.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  rejectUnknownOptions(sources, ["file", "env", "values", "onWarning"]);
  const {
    file,
    env = process.env,
    values = {},
    onWarning = (message) => process.emitWarning(message),
  } = sources;
  const files = (typeof file === "string" ? [file] : (file ?? [])).map((path) => ({
    path,
    groups: readGroups(path),
  }));
  const fromFiles = files.map(({ groups, path }) => fromFile(groups, path));
  const layers = [defaults(), ...fromFiles, fromEnvironment(env), fromValues(values)];
  const resolver = new Resolver(layers);
  const config: Record<string | symbol, unknown> = { [LOADED]: true };
  for (const name of NAMES) config[name] = resolver.value(name);
  const unknown = files.map(({ groups, path }) => ({ path, keys: unknownKeys(groups) }));
  const ignored = unknown.filter(({ keys }) => keys.length > 0);
  if (ignored.length > 0)
    onWarning(
      ignored.map(({ path, keys }) => `${path}: unknown options ignored: ${keys.join(", ")}`).join("; "),
    );
  return Object.freeze(config) as unknown as Config;
}

type Layer = ReadonlyMap<keyof Config, Given>;

function defaults(): Layer {
  return new Map(
    NAMES.map((name) => [name, { value: OPTIONS[name].default, option: fileName(name), source: "default" }]),
  );
}

function fromFile(groups: ConfigGroups, file: string): Layer {
  const layer = new Map<keyof Config, Given>();
  for (const [key, value] of Object.entries(groups.df ?? {})) {
    const name = BY_FILE_NAME.get(key);
    if (name !== undefined) layer.set(name, { value: String(value), option: key, source: `${file}, [df]` });
  }
  const socket = groups[IPC_SOCKET.group]?.[IPC_SOCKET.key];
  if (socket !== undefined) {
    const source = `${file}, [${IPC_SOCKET.group}]`;
    layer.set("publisherMultiprocSocket", { value: String(socket), option: IPC_SOCKET.key, source });
  }
  return layer;
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Layer {
  const layer = new Map<keyof Config, Given>();
  const take = (name: keyof Config, option: string) => {
    const value = env[option];
    if (value !== undefined) layer.set(name, { value, option, source: "environment" });
  };
  for (const [key, name] of BY_FILE_NAME) take(name, `DF_${key.toUpperCase()}`);
  take("publisherMultiprocSocket", IPC_SOCKET.env);
  return layer;
}

function fromValues(values: Partial<Config>): Layer {
  rejectUnknownOptions(values, NAMES);
  const final = LOADED in values;
  const layer = new Map<keyof Config, Given>();
  for (const name of NAMES) {
    if (values[name] !== undefined)
      layer.set(name, { value: values[name], option: name, source: "values", final });
  }
  return layer;
}

/** Reads texts as what their options are, and puts other options into them. */
class Resolver {
  /** From the weakest source to the strongest. */
  readonly #layers: readonly Layer[];
  /** The options whose texts are being completed, to find a circle. */
  readonly #open: string[] = [];

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** The value of the strongest source; those that it overrides are checked. */
  value(name: keyof Config): unknown {
    let value: unknown;
    for (const layer of this.#layers) {
      const given = layer.get(name);
      if (given !== undefined) value = this.#read(OPTIONS[name], given);
    }
    return value;
  }

  #read(spec: OptionSpec, given: Given): unknown {
    // Split before completing: a list within a list is no list of oslo's either.
    const complete = (value: unknown) =>
      typeof value === "string" && !given.final ? this.#complete(value, given) : value;
    if (spec.kind !== "list") return readScalar(spec, complete(given.value), given);
    const entries = typeof given.value === "string" ? splitList(given.value) : given.value;
    if (!Array.isArray(entries) || entries.some((entry) => typeof entry !== "string"))
      throw bad(given, "a list of texts");
    return Object.freeze(entries.map(complete));
  }

  /** oslo.config, "Option Value Interpolation". */
  #complete(text: string, given: Given): string {
    return text.replace(/[\\$]\$|\$(?:(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
      const key = plain ?? braced;
      if (key === undefined) return whole.slice(1);
      const name = BY_FILE_NAME.get(key);
      if (name === undefined) throw bad(given, `a text: there is no option ${key}`);
      if (this.#open.includes(key)) throw bad(given, `a text: ${key} refers to itself`);
      this.#open.push(key);
      const value = this.value(name);
      this.#open.pop();
      return String(value);
    });
  }
}

function readScalar(spec: OptionSpec, value: unknown, given: Given): unknown {
  switch (spec.kind) {
    case "bool":
      if (typeof value === "boolean") return value;
      if (/^(true|yes|on|1)$/i.test(String(value))) return true;
      if (/^(false|no|off|0)$/i.test(String(value))) return false;
      throw bad(given, "true or false");
    case "integer": {
      const { min, max = Number.MAX_SAFE_INTEGER } = spec;
      const n = number(value, /^[-+]?\d+$/);
      if (Number.isSafeInteger(n) && n >= min && n <= max) return n;
      throw bad(
        given,
        spec.max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
      );
    }
    case "seconds": {
      const n = number(value, /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i);
      if (n > 0 && n < Infinity) return n;
      throw bad(given, "a number of seconds above 0");
    }
    case "ip":
      if (typeof value === "string" && isIP(value) !== 0) return value;
      throw bad(given, "an IP address");
    case "choice":
      if (typeof value === "string" && spec.of.includes(value)) return value;
      throw bad(given, `one of ${spec.of.join(", ")}`);
    default:
      if (typeof value === "string" && value !== "") return value;
      throw bad(given, "a text that is not empty");
  }
}

/** NaN for what is no number. */
function number(value: unknown, pattern: RegExp): number {
  if (typeof value === "string" && pattern.test(value.trim())) return Number(value);
  return typeof value === "number" ? value : Number.NaN;
}

function splitList(text: string): string[] {
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "");
}

function bad({ option, value, source }: Given, expected: string): ConfigError {
  return new ConfigError(
    option,
    `${option} (${source}) is ${JSON.stringify(value)}, and must be ${expected}`,
  );
}

function readGroups(file: string): ConfigGroups {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("file", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parseConfigFile(text.replace(/^\ufeff/, ""), file);
}

/** At most this many keys are named in the warning. */
const NAMED = 100;

function unknownKeys(groups: ConfigGroups): string[] {
  const unknown: string[] = [];
  for (const [group, entries] of Object.entries(groups)) {
    for (const key of typeof entries === "string" ? [] : Object.keys(entries)) {
      const known =
        group === "df" ? BY_FILE_NAME.has(key) : group === IPC_SOCKET.group && key === IPC_SOCKET.key;
      if (!known) unknown.push(`[${group}] ${key}`);
    }
  }
  return unknown.length <= NAMED
    ? unknown
    : [...unknown.slice(0, NAMED), `and ${unknown.length - NAMED} more`];
}
