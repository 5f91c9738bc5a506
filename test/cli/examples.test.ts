import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileStore } from "../../examples/file-store.ts";
import { DBKeyNotFoundError } from "../../src/drivers/index.ts";
import { stablePort } from "../support/ports.ts";
import { Command } from "./command.ts";

let folder: string;
let store: FileStore;
let commands: Command[];
let env: Record<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "zmtp-examples-"));
  store = new FileStore(join(folder, "store"));
  commands = [];
  env = {
    DF_PUBLISHER_MULTIPROC_SOCKET: join(folder, "socket"),
    DF_PUBLISHER_BIND_ADDRESS: "127.0.0.1",
    DF_PUBLISHER_PORT: String(await stablePort()), // nobody takes it while the service is dead
    // A busy machine must not make a late address of one that is there from the start: that is a sync.
    DF_START_TIMEOUT: "15000",
  };
});
afterEach(async () => {
  await Promise.all(commands.map((command) => command.kill()));
  await rm(folder, { recursive: true });
});

function run(program: string, args: readonly string[] = [], more: Record<string, string> = {}): Command {
  const command = new Command(program, args, { ...env, ...more });
  commands.push(command);
  return command;
}

const example = (name: string, ...args: string[]) =>
  run(`examples/${name}.ts`, ["--store", join(folder, "store"), ...args]);

async function service(): Promise<Command> {
  const command = run("src/cli/publisher-service.ts");
  await command.says(/controllers at tcp:\/\/127\.0\.0\.1:\d+/);
  return command;
}

describe("examples: a writer, the service and a controller as three processes", () => {
  it("rows, events by topic, a sync after the service was killed, orderly ends", async () => {
    const first = await service();
    const writer = example("writer");
    writer.write("p0 tenant-1 zero\n");
    await writer.says(/sent p0/);
    const controller = example("controller", "--topic", "tenant-1");
    await controller.says(/^read 1 rows: \{"p0":.*zero/m);
    writer.write("q1 tenant-2 other\np1 tenant-1 one\np0 tenant-1\n");
    await controller.says(/^set p1 (null|\{.*"one"\})$/m);
    await controller.says(/^delete p0 null$/m);
    expect(controller.output).not.toContain("q1");

    first.signal("SIGKILL");
    await first.ended();
    writer.write("p2 tenant-1 two\n");
    await writer.says(/sent p2/); // the row is written
    await service();
    await controller.says(/^read 2 rows: .*"two/m);
    expect(controller.output.match(/^read/gm)).toHaveLength(2);
    // The writer may find the service later than the controller does; nothing is to be on its way when it ends.
    writer.write("p3 tenant-1 three\n");
    await controller.says(/^set p3 /m);

    writer.endInput();
    controller.signal("SIGTERM");
    expect([await writer.ended(), await controller.ended()]).toEqual([0, 0]);
    expect(writer.errors + controller.errors).toBe("");
  });

  it("the controller finds its publisher in the table", async () => {
    await service();
    const uri = `tcp://127.0.0.1:${env.DF_PUBLISHER_PORT}`;
    const row = { id: "some", uri, last_activity_timestamp: Date.now() / 1000 };
    await store.createKey("publisher", "some", JSON.stringify(row));
    env.DF_PUBLISHERS_IPS = "";
    const controller = example("controller", "--topic", "tenant-1");
    await controller.says(/^read 0 rows/m);
    const writer = example("writer");
    writer.write("p1 tenant-1 one\n");
    await controller.says(/^set p1/m);
  });

  it("the writer says what was not sent, goes on, and ends in spite of it", async () => {
    env.DF_SEND_TIMEOUT = "100";
    env.DF_SEND_HIGH_WATER_MARK = "1";
    const writer = example("writer");
    writer.write("gone tenant-1\np1 tenant-1 one\np2 tenant-1 two\np3 tenant-1 three\n");
    await writer.says(/there is no gone/);
    await writer.says(/p3 was not sent: /);
    expect((await store.getAllKeys("lport")).sort()).toEqual(["p1", "p2", "p3"]);
    writer.endInput();
    expect(await writer.ended()).toBe(0);
  });
});

describe("examples: the store", () => {
  it("does what a Store does, whatever the names", async () => {
    expect(await store.getAllKeys("../t")).toEqual([]);
    for (const key of ["..", "a/b", "é %"]) {
      await expect(store.getKey("../t", key)).rejects.toBeInstanceOf(DBKeyNotFoundError);
      await expect(store.setKey("../t", key, "0")).rejects.toBeInstanceOf(DBKeyNotFoundError);
      await expect(store.deleteKey("../t", key)).rejects.toBeInstanceOf(DBKeyNotFoundError);
      await store.createKey("../t", key, "1");
      await store.createKey("../t", key, "2");
      await store.setKey("../t", key, "3");
      expect(await store.getKey("../t", key)).toBe("3");
    }
    expect((await store.getAllKeys("../t")).sort()).toEqual(["..", "a/b", "é %"]);
    await store.deleteKey("../t", "..");
    expect((await store.getAllKeys("../t")).sort()).toEqual(["a/b", "é %"]);
  });
});
