import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ConfigSources, loadConfig } from "../../../src/drivers/config/config.ts";
import { parseConfigFile } from "../../../src/drivers/config/config-file.ts";
import { ConfigError, UnknownOptionError } from "../../../src/drivers/errors.ts";
import { ZmqError } from "../../../src/errors.ts";

let directory: string;
let files = 0;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "zmtp-config-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(text: string): string {
  const file = join(directory, `${files++}.ini`);
  writeFileSync(file, text);
  return file;
}

const load = (sources: ConfigSources = {}) => loadConfig({ env: {}, ...sources });
const loadFile = (text: string, sources: ConfigSources = {}) => load({ file: fileOf(text), ...sources });

describe("dragonflow.md 7, options and their defaults", () => {
  it("without any source", () => {
    expect(load()).toMatchObject({
      enableDfPubSub: false,
      pubSubDriver: "zmq_pubsub_driver",
      pubSubMultiprocDriver: "zmq_pubsub_multiproc_driver",
      pubSubUseMultiproc: true,
      publisherMultiprocSocket: "/var/run/zmq_pubsub/zmq-publisher-socket",
      publishersIps: ["127.0.0.1"],
      publisherPort: 8866,
      publisherTransport: "tcp",
      publisherBindAddress: "*",
      publisherTimeout: 300,
      publisherRateLimitCount: 1,
      publisherRateLimitTimeout: 180,
      monitorTablePollTime: 30,
      remoteDbIp: "127.0.0.1",
      remoteDbPort: 4001,
      remoteDbHosts: ["127.0.0.1:4001"],
      localIp: "127.0.0.1",
      managementIp: "127.0.0.1",
      dbSyncTime: 120,
      wireForm: "json",
      syncPeriod: 0,
      heartbeatInterval: 5000,
      heartbeatTimeout: 10_000,
      handshakeInterval: 5000,
      linger: 1000,
      sendTimeout: 5000,
      maxMessageSize: 16_777_216,
      overflow: "disconnect",
    });
  });

  it("cannot be changed", () => {
    const config = load();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.publishersIps)).toBe(true);
  });

  it("values go before the environment, that before the file, that before the defaults", () => {
    const file =
      "[df]\npublisher_port = 1\npublisher_timeout = 1\npublisher_bind_address = file\nwire_form = map\n";
    const env = { DF_PUBLISHER_PORT: "2", DF_PUBLISHER_TIMEOUT: "2", DF_SYNC_PERIOD: "60" };
    expect(loadFile(file, { env, values: { publisherPort: 3 } })).toMatchObject({
      publisherPort: 3,
      publisherTimeout: 2,
      publisherBindAddress: "file",
      wireForm: "map",
      syncPeriod: 60,
      publisherTransport: "tcp",
    });
  });

  it("the environment of the process is the default one", () => {
    vi.stubEnv("DF_PUBLISHER_PORT", "77");
    expect(loadConfig().publisherPort).toBe(77);
    vi.unstubAllEnvs();
  });

  it("[df_zmq] ipc_socket goes before publisher_multiproc_socket of the same source", () => {
    const file = "[df]\npublisher_multiproc_socket = /a\n[df_zmq]\nipc_socket = /b\n";
    const socket = (sources: ConfigSources) => loadFile(file, sources).publisherMultiprocSocket;
    expect(socket({})).toBe("/b");
    expect(socket({ env: { DF_PUBLISHER_MULTIPROC_SOCKET: "/c" } })).toBe("/c");
    expect(socket({ env: { DF_PUBLISHER_MULTIPROC_SOCKET: "/c", DF_ZMQ_IPC_SOCKET: "/d" } })).toBe("/d");
    expect(socket({ env: { DF_ZMQ_IPC_SOCKET: "/d" }, values: { publisherMultiprocSocket: "/e" } })).toBe(
      "/e",
    );
  });
});

describe("dragonflow.md 7, $name interpolation", () => {
  it("happens once: what was loaded is final, also when it is handed on", () => {
    const config = load({ file: fileOf("[df]\npublisher_multiproc_socket = /run/a$$b\n") });
    expect(config.publisherMultiprocSocket).toBe("/run/a$b");
    expect(load({ values: config }).publisherMultiprocSocket).toBe("/run/a$b");
    expect(load({ values: { ...config, publisherPort: 1 } }).publisherMultiprocSocket).toBe("/run/a$b");
  });

  it("follows the options referred to, in lists too, through any source", () => {
    const config = load({ env: { DF_LOCAL_IP: "10.0.0.7", DF_REMOTE_DB_IP: "$local_ip" } });
    expect(config.publishersIps).toEqual(["10.0.0.7"]);
    expect(config.remoteDbHosts).toEqual(["10.0.0.7:4001"]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the syntax of the file
    const listed = load({ values: { publishersIps: ["$local_ip", "h-${remote_db_port}", "$$x", "\\$y"] } });
    expect(listed.publishersIps).toEqual(["127.0.0.1", "h-4001", "$x", "$y"]);
    expect(load({ env: { DF_PUBLISHER_PORT: "$remote_db_port" } }).publisherPort).toBe(4001);
  });

  it("an unknown name and a circle are errors", () => {
    expect(() => load({ env: { DF_NB_DB_CLASS: "$nobody" } })).toThrow(/there is no option nobody/);
    const circle = { DF_NB_DB_CLASS: "$pub_sub_driver", DF_PUB_SUB_DRIVER: "$nb_db_class" };
    expect(() => load({ env: circle })).toThrow(/refers to itself/);
    expect(() => load({ env: { DF_NB_DB_CLASS: "$nb_db_class" } })).toThrow(/refers to itself/);
  });
});

describe("bad values are always an error that names option, value and source", () => {
  const cases: [env: string, value: string][] = [
    ["DF_PUBLISHER_PORT", "65536"],
    ["DF_PUBLISHER_PORT", "-1"],
    ["DF_PUBLISHER_PORT", ""],
    ["DF_PUBLISHER_PORT", "8866.5"],
    ["DF_PUBLISHER_PORT", "0x10"],
    ["DF_ENABLE_DF_PUB_SUB", "maybe"],
    ["DF_MONITOR_TABLE_POLL_TIME", "0"],
    ["DF_MONITOR_TABLE_POLL_TIME", "nan"],
    ["DF_WIRE_FORM", "yaml"],
    ["DF_PUBLISHER_TRANSPORT", ""],
    ["DF_LOCAL_IP", "localhost"],
    ["DF_LINGER", "-2"],
  ];
  for (const [name, value] of cases) {
    it(`${name}=${value}`, () => {
      const attempt = () => load({ env: { [name]: value } });
      expect(attempt).toThrow(ConfigError);
      expect(attempt).toThrow(ZmqError);
      expect(attempt).toThrow(expect.objectContaining({ code: "EINVAL", option: name }));
      expect(attempt).toThrow(`${name} (environment) is ${JSON.stringify(value)}, and must be`);
    });
  }

  it("in values, of the wrong kind", () => {
    for (const values of [
      { publisherPort: true },
      { publishersIps: [1] },
      { publishersIps: 5 },
      { pubSubDriver: 5 },
      { linger: NaN },
    ]) {
      expect(() => load({ values: values as object })).toThrow(ConfigError);
    }
  });

  it("also where a better source overrides them", () => {
    expect(() => loadFile("[df]\npublisher_port = x\n", { values: { publisherPort: 1 } })).toThrow(
      /\[df\]\) is "x"/,
    );
  });

  it("all spellings of true and false", () => {
    for (const text of ["true", "True", "yes", "ON", "1"])
      expect(load({ env: { DF_ENABLE_DF_PUB_SUB: text } }).enableDfPubSub).toBe(true);
    for (const text of ["false", "No", "off", "0"])
      expect(load({ env: { DF_PUB_SUB_USE_MULTIPROC: text } }).pubSubUseMultiproc).toBe(false);
  });
});

describe("unknown keys", () => {
  it("of an object: an error naming the key and the nearest known one", () => {
    const attempt = () => load({ values: { publisherProt: 1 } as object });
    expect(attempt).toThrow(UnknownOptionError);
    expect(attempt).toThrow("Unknown option publisherProt: did you mean publisherPort?");
    expect(() => load({ values: { publisher_port: 1 } as object })).toThrow("did you mean publisherPort?");
    expect(() => load({ flie: "x" } as object)).toThrow("did you mean file?");
  });

  it("of a file: one warning that lists them, without their values", () => {
    const onWarning = vi.fn();
    const text =
      "[DEFAULT]\ntransport_url = rabbit://user:secret@h\n[df]\npublisher_prot = 1\nlocal_ip = 10.0.0.1\n[df_zmq]\nx = 1\n";
    expect(loadFile(text, { onWarning }).localIp).toBe("10.0.0.1");
    expect(onWarning).toHaveBeenCalledOnce();
    expect(onWarning.mock.calls[0]![0]).toMatch(
      /: \[DEFAULT\] transport_url, \[df\] publisher_prot, \[df_zmq\] x$/,
    );
    const many = Array.from({ length: 103 }, (_, i) => `k${i} = 1`).join("\n");
    loadFile(`[df]\n${many}\n`, { onWarning });
    expect(onWarning.mock.calls[1]![0]).toMatch(/\[df\] k99, and 3 more$/);
  });

  it("a file of known keys gives no warning", () => {
    const onWarning = vi.fn();
    loadFile("[df]\nlocal_ip = 10.0.0.1\n[df_zmq]\nipc_socket = /x\n", { onWarning });
    expect(onWarning).not.toHaveBeenCalled();
  });
});

describe("oslo.config files", () => {
  const df = (text: string) => parseConfigFile(`[df]\n${text}`, "f").df;

  it("comments stand at the beginning of a line only", () => {
    expect(df("# a = 1\n;b = 2\nc = eth0;239.192.1.1 # all of it\n")).toEqual({
      c: "eth0;239.192.1.1 # all of it",
    });
  });

  it("the first of = and : ends the key; quotes around the value fall", () => {
    expect(df('a: b=c\nd = e:f\ng="h i"\nj = \'k\'\nl =\nm = "\nn=\\t\\"\n')).toEqual({
      a: "b=c",
      d: "e:f",
      g: "h i",
      j: "k",
      l: "",
      m: '"',
      n: '\\t\\"',
    });
  });

  it("values go on in indented lines, until a blank one", () => {
    expect(df("a = 1,\n    2,\n\t3\nb = 4\n")).toEqual({ a: "1,\n2,\n3", b: "4" });
    expect(loadFile("[df]\npublishers_ips = 10.0.0.1,\n  10.0.0.2 ,, $local_ip\n").publishersIps).toEqual([
      "10.0.0.1",
      "10.0.0.2",
      "127.0.0.1",
    ]);
  });

  it("the last of two wins; groups may come twice; texts like true stay texts", () => {
    expect(df("a = 1\na = 2\n[x]\na = 3\n[df]\nb = true\n")).toMatchObject({ a: "2" });
    expect(loadFile("[df]\nnb_db_class = null\n").nbDbClass).toBe("null");
  });

  it("names that mean something to objects or to the ini package are names", () => {
    const onWarning = vi.fn();
    const text =
      "[df.more]\nlocal_ip = 1\n[__proto__]\nlocal_ip = 2\n[df;x]\nlocal_ip = 3\n[df]\nlocal ip = 4\nlocal_ip[] = 5\n__proto__ = 6\n";
    expect(loadFile(text, { onWarning }).localIp).toBe("127.0.0.1");
    expect(onWarning.mock.calls[0]![0]).toMatch(/\[df\.more\] local_ip/);
    expect(onWarning.mock.calls[0]![0]).toMatch(/\[df\] local\?ip, \[df\] local_ip\?\?/);
  });

  it("line ends of any system, a byte order mark, and separators that are no line ends", () => {
    expect(df("a = 1\r\nb = 2\rc = x\u2028y\r\n")).toEqual({ a: "1", b: "2", c: "x\u2028y" });
    expect(loadFile("\ufeff[df]\npublisher_port = 5\n").publisherPort).toBe(5);
  });

  it("what is none of it is an error that names the line", () => {
    for (const text of [
      "[df]\nnonsense\n",
      "[df]\n= 1\n",
      "[df\na = 1\n",
      "  a = 1\n",
      "[df]\n\n  a = 1\n",
      "a = 1\n",
      "[]\n",
    ]) {
      expect(() => parseConfigFile(text, "some.ini")).toThrow(expect.objectContaining({ code: "EINVAL" }));
      expect(() => parseConfigFile(text, "some.ini")).toThrow(/^some\.ini, line [123]: /);
    }
  });

  it("of several files the later goes before; one warning names the unknown keys of each", () => {
    const onWarning = vi.fn();
    const first = fileOf(
      "[df]\nlocal_ip = 10.0.0.1\npublisher_port = 1\nodd = 1\n[df_zmq]\nipc_socket = /a\n",
    );
    const second = fileOf("[df]\npublisher_port = 2\npublisher_multiproc_socket = /b\n[x]\neven = 2\n");
    const config = load({ file: [first, second], onWarning });
    expect(config).toMatchObject({
      publishersIps: ["10.0.0.1"],
      publisherPort: 2,
      publisherMultiprocSocket: "/b",
    });
    expect(onWarning.mock.calls).toEqual([
      [`${first}: unknown options ignored: [df] odd; ${second}: unknown options ignored: [x] even`],
    ]);
    expect(load({ file: [] }).publisherPort).toBe(8866);
  });

  it("a file that cannot be read is an error with its cause", () => {
    const attempt = () => load({ file: join(directory, "absent.ini") });
    expect(attempt).toThrow(expect.objectContaining({ name: "ConfigError", code: "EINVAL" }));
    expect(attempt).toThrow(/absent\.ini cannot be read: ENOENT/);
    expect(() => load({ file: directory })).toThrow(/cannot be read: EISDIR/);
  });
});
