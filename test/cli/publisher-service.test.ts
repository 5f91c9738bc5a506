import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DbUpdate, loadDriver, type PublisherApi, type SubscriberApi } from "../../src/drivers/index.ts";
import { Push } from "../../src/index.ts";
import { Command } from "./command.ts";

/** What is in a dragonflow.ini: options of others, comments, several groups. */
const DRAGONFLOW_INI = `
[DEFAULT]
debug = True
use_syslog = False
log_dir = /var/log/dragonflow

# All of Dragonflow's processes read this file.
[df]
enable_df_pub_sub = True
pub_sub_driver = zmq_pubsub_driver
pub_sub_multiproc_driver = zmq_pubsub_multiproc_driver
pub_sub_use_multiproc = True
publishers_ips = $local_ip
publisher_bind_address = 127.0.0.1
publisher_port = 0
publisher_timeout = 300
local_ip = 10.0.0.9
remote_db_ip = 10.0.0.8
nb_db_class = etcd_nb_db_driver
enabled_apps = l2,l3_proactive,dhcp
metadata_interface = tap-metadata

[df_l2_app]
l2_responder = True
`;

let folder: string;
let socket: string;
let commands: Command[];
let ends: { close(): Promise<void> }[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "zmtp-cli-"));
  socket = join(folder, "socket");
  commands = [];
  ends = [];
});
afterEach(async () => {
  await Promise.all(ends.map((end) => end.close()));
  await Promise.all(commands.map((command) => command.kill()));
  await rm(folder, { recursive: true });
});

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
  const command = new Command("src/cli/publisher-service.ts", args, env);
  commands.push(command);
  return command;
}

async function fileOf(text: string, name = "dragonflow.ini"): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** The command with the file above, and where it publishes. */
async function service(env: Readonly<Record<string, string>> = {}): Promise<[Command, string]> {
  const file = await fileOf(`${DRAGONFLOW_INI}[df_zmq]\nipc_socket = ${socket}\n`);
  const command = start(["--config-file", file], env);
  const [, uri] = await command.says(/listening: .* controllers at (\S+),/);
  return [command, uri!];
}

function writerOf(wireForm: "json" | "map" = "map"): PublisherApi {
  const options = { publisherMultiprocSocket: socket, wireForm };
  const writer = loadDriver("zmq_pubsub_multiproc_driver", options).getPublisher();
  ends.push(writer);
  return writer;
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 20 });

type Seen = [table: unknown, key: unknown, action: string, value: unknown, topic: unknown];

/** What a controller at this address sees from now on. */
async function controllerOf(uri: string): Promise<{ seen: Seen[]; subscriber: SubscriberApi }> {
  const seen: Seen[] = [];
  const subscriber = loadDriver("zmq_pubsub_driver").getSubscriber();
  ends.push(subscriber);
  await subscriber.initialize((...event) => {
    seen.push(event);
  });
  subscriber.registerTopic("D");
  subscriber.registerListenAddress(uri);
  await subscriber.daemonize();
  await subscriber.settled();
  return { seen, subscriber };
}

const event = (key: string) => new DbUpdate({ table: "lport", key, action: "set", value: '{"n": 1}' });

describe("dragonflow.md 8.1, the publisher service as a command", () => {
  it("starts from a dragonflow.ini, and forwards events of both wire forms from ipc to tcp", async () => {
    const [command, uri] = await service();
    expect(command.errors).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z WARNING .*unknown options ignored: \[DEFAULT\] debug/,
    );
    expect(command.errors.match(/unknown options/g)).toHaveLength(1);
    expect(command.errors).toContain(`writers at ipc://${socket},`);
    expect(command.errors).toMatch(/known to others as tcp:\/\/10\.0\.0\.9:\d+\n/);
    expect(command.errors.match(/no database/g)).toHaveLength(1);
    const { seen } = await controllerOf(uri);
    await writerOf("map").sendEvent(event("a"));
    await soon(() => expect(seen).toHaveLength(1));
    await writerOf("json").sendEvent(event("b"));
    await soon(() => expect(seen).toHaveLength(2));
    expect(seen).toEqual([
      ["lport", "a", "set", '{"n": 1}', "D"],
      ["lport", "b", "set", null, "D"],
    ]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "%s: drains, ends with 0 and leaves no socket file",
    async (signal) => {
      const [command, uri] = await service();
      const { seen } = await controllerOf(uri);
      const writer = writerOf();
      const count = 3000;
      for (let i = 0; i < count; i++) await writer.sendEvent(event(String(i)));
      await soon(() => expect(writer.stats().queued).toBe(0));
      command.signal(signal);
      expect(await command.ended()).toBe(0);
      await soon(() => expect(seen.length).toBeGreaterThanOrEqual(count));
      expect(seen.slice(0, count).map(([, key]) => key)).toEqual(
        Array.from({ length: count }, (_, i) => String(i)),
      );
      expect(command.errors).toMatch(/ended: 3000 events published, 0 refused, 0 syncs told\n$/);
      expect(await readdir(folder)).toEqual(["dragonflow.ini"]);
    },
  );

  it("a second signal ends it at once, with 1", async () => {
    const [command] = await service({ DF_LINGER: "15000" });
    // Both are there when it runs on: the second comes before the first has had its time.
    for (const signal of ["SIGSTOP", "SIGTERM", "SIGINT", "SIGCONT"] as const) command.signal(signal);
    expect(await command.ended()).toBe(1);
    expect(command.errors).toMatch(/SIG(TERM|INT): publishing what has been received\n/);
    expect(command.errors).toMatch(/SIG(TERM|INT) again: ending at once\n$/);
  });

  it("a message that is no event is answered by one sync for everybody, and the next event goes on", async () => {
    const [command, uri] = await service();
    const { seen, subscriber } = await controllerOf(uri);
    const raw = new Push({ linger: 0 });
    ends.push({ close: async () => raw.close() });
    raw.connect(`ipc://${socket}`);
    await raw.send(["D", "nonsense"]);
    await soon(() => expect(seen.map(([, , action]) => action)).toEqual(["sync"]));
    await writerOf().sendEvent(event("after"));
    await soon(() => expect(seen).toHaveLength(2));
    expect(seen[1]![1]).toBe("after");
    expect(subscriber.stats().syncs).toBe(1);
    await command.says(/told all controllers to read the database/);
  });
});

describe("configuration of the command", () => {
  it("the later file goes before the earlier, the environment before both", async () => {
    const first = await fileOf(
      `[df]\npublisher_port = 0\nlocal_ip = 10.0.0.1\npublisher_bind_address = nowhere.invalid\n`,
      "1",
    );
    const second = await fileOf(`[df]\nlocal_ip = 10.0.0.2\npublisher_bind_address = 127.0.0.1\n`, "2");
    const env = { DF_ZMQ_IPC_SOCKET: socket };
    const command = start(["--config-file", first, "--config-file", second], env);
    await command.says(/controllers at tcp:\/\/127\.0\.0\.1:\d+, known to others as tcp:\/\/10\.0\.0\.2:/);
    expect(existsSync(socket)).toBe(true);
    command.signal("SIGTERM");
    expect(await command.ended()).toBe(0);
  });

  it.each([
    ["[df]\npublisher_port = many\n", /publisher_port \(.*dragonflow\.ini, \[df\]\) is "many", and must be/],
    ["[df]\nwire_form = xml\n", /wire_form \(.*\) is "xml", and must be one of json, map/],
    ["[df]\npub_sub_driver = nats\n", /pub_sub_driver: Unknown driver nats; known are zmq_pubsub_driver/],
    ["[df]\npublisher_transport = udp\n", /not supported: udp \(publisher_transport\)/],
    ["[df]\nnonsense\n", /dragonflow\.ini, line 2: /],
  ])("%j: ends with 2 and says which option, what value, and where", async (text, message) => {
    const command = start(["--config-file", await fileOf(text)]);
    expect(await command.ended()).toBe(2);
    expect(command.errors).toMatch(message);
    expect(command.errors.trim().split("\n")).toHaveLength(1);
  });

  it("a file that is not there, and an argument that means nothing: 2", async () => {
    const absent = start(["--config-file", join(folder, "absent.ini")]);
    const argument = start(["--confg-file", "x"]);
    expect([await absent.ended(), await argument.ended()]).toEqual([2, 2]);
    expect(absent.errors).toMatch(/absent\.ini cannot be read: ENOENT/);
    expect(argument.errors).toMatch(/--confg-file/);
  });

  it("an address that is in use: 1, and no socket file is left", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    const env = {
      DF_PUBLISHER_PORT: String(port),
      DF_PUBLISHER_BIND_ADDRESS: "127.0.0.1",
      DF_ZMQ_IPC_SOCKET: socket,
    };
    const command = start([], env);
    expect(await command.ended()).toBe(1);
    expect(command.errors).toMatch(/ERROR cannot start: .*in use/i);
    expect(await readdir(folder)).toEqual([]);
    other.close();
  });

  it("--help tells options, signals and exit codes; --version the version", async () => {
    const help = start(["--help"]);
    const version = start(["--version"]);
    expect([await help.ended(), await version.ended()]).toEqual([0, 0]);
    for (const word of ["--config-file FILE", "DF_PUBLISHER_PORT", "SIGTERM", "Exit codes"])
      expect(help.output).toContain(word);
    for (const line of help.output.split("\n")) expect(line.length).toBeLessThan(81);
    const own = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(version.output).toBe(`${own.version}\n`);
    expect(help.errors + version.errors).toBe("");
  });
});
