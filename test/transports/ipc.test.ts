import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { whyNoAbstractNames } from "../../src/transports/endpoint.ts";
import { ipc } from "../../src/transports/ipc.ts";
import { until } from "../support/wait.ts";
import { atEnd, defaults, dial, later, listenOn, pair, rejection, temporaryFolder } from "./helpers.ts";
import { run } from "./programs/run.ts";

const listening = (address: string) => ipc.listen(address, defaults, () => {});

/** A socket file that nobody listens on any more: the last name of a closed server's socket. */
async function stale(path: string): Promise<void> {
  const server = await foreign(`${path}.live`);
  linkSync(`${path}.live`, path);
  server.close();
  expect(lstatSync(path).isSocket()).toBe(true);
}

/** Someone else's live server. */
function foreign(path: string): Promise<Server> {
  const server = createServer();
  atEnd(() => server.close());
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

describe("EP-5, B-38, N-25: ipc", () => {
  it("carries bytes both ways, and shows the path at both ends", async () => {
    const address = `ipc://${join(temporaryFolder(), "s")}`;
    const { listener, near, far } = await pair(ipc, address);
    expect([listener.address, near.stream.remoteAddress, far.stream.remoteAddress]).toEqual(
      Array(3).fill(address),
    );
    near.stream.write([Buffer.from("ping")]);
    far.stream.write([Buffer.from("pong")]);
    await far.recorder.until(() => far.recorder.received === 4);
    await near.recorder.until(() => near.recorder.received === 4);
    near.stream.end();
    await far.recorder.ended();
    expect(far.recorder.ends).toEqual([null]);
  });

  it("a path of 107 bytes can be bound and dialled, however short its last name is", async () => {
    const folder = temporaryFolder();
    for (const length of [1, 5, 30]) {
      const middle = join(folder, "d".repeat(107 - folder.length - 2 - length));
      mkdirSync(middle);
      const path = join(middle, "s".repeat(length));
      expect(Buffer.byteLength(path)).toBe(107);
      await pair(ipc, `ipc://${path}`);
      expect(readdirSync(middle)).toEqual([basename(path)]);
    }
  });

  it("108 bytes: ENAMETOOLONG with the address", async () => {
    const address = `ipc:///${"x".repeat(107)}`;
    expect(await rejection(listening(address))).toMatchObject({ code: "ENAMETOOLONG", errno: 36, address });
    expect(await rejection(dial(ipc, address))).toMatchObject({ code: "ENAMETOOLONG", address });
  });

  it("a missing folder: ENOENT; a missing file to dial: ENOENT", async () => {
    const address = `ipc://${join(temporaryFolder(), "missing", "s")}`;
    expect(await rejection(listening(address))).toMatchObject({ code: "ENOENT", address });
    expect(await rejection(dial(ipc, address))).toMatchObject({ code: "ENOENT", address });
  });

  it("a relative path", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "s");
    const before = process.cwd();
    const relative = path.split("/").slice(1).join("/");
    const up = "../".repeat(before.split("/").filter(Boolean).length);
    const { listener } = await pair(ipc, `ipc://${up}${relative}`);
    expect(existsSync(path)).toBe(true);
    await listener.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("ipc://* makes a folder of its own and removes it", async () => {
    const folder = temporaryFolder();
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    const listener = await listening("ipc://*").finally(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    atEnd(() => listener.close());
    const path = listener.address.slice("ipc://".length);
    expect(dirname(dirname(path))).toBe(folder);
    expect(lstatSync(path).isSocket()).toBe(true);
    await dial(ipc, listener.address);
    await listener.close();
    expect(readdirSync(folder)).toEqual([]);
    await listener.close();
  });

  it("ipc://* below a folder whose path is too long: ENAMETOOLONG, and nothing left behind", async () => {
    const folder = join(temporaryFolder(), "d".repeat(100));
    mkdirSync(folder);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    const error = await rejection(listening("ipc://*")).finally(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    expect(error.code).toBe("ENAMETOOLONG");
    expect(readdirSync(folder)).toEqual([]);
  });

  const refusal = whyNoAbstractNames(process.platform, process.versions.node);
  it.runIf(refusal === null)("an abstract name (Node 22 or later on Linux)", async () => {
    const address = `ipc://@zmtp-test-${process.pid}`;
    const { near, far } = await pair(ipc, address);
    near.stream.write([Buffer.from("x")]);
    await far.recorder.until(() => far.recorder.received === 1);
    const names = readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .map((line) => line.split(" ").at(-1));
    expect(names).toContain(`@zmtp-test-${process.pid}`);
    expect(await rejection(listening(address))).toMatchObject({ code: "EADDRINUSE", address });
  });
  it.runIf(refusal !== null)("an abstract name where the runtime pads it: EPROTONOSUPPORT", async () => {
    const error = await rejection(listening("ipc://@name"));
    expect(error).toMatchObject({ code: "EPROTONOSUPPORT", message: refusal, address: "ipc://@name" });
    expect((await rejection(dial(ipc, "ipc://@name"))).code).toBe("EPROTONOSUPPORT");
  });
});

describe("EP-6, B-38, N-25: what is at the path already", () => {
  it("a live socket stays: EADDRINUSE", async () => {
    const folder = temporaryFolder();
    const address = `ipc://${join(folder, "s")}`;
    const { accepted } = await listenOn(ipc, address);
    expect(await rejection(listening(address))).toMatchObject({
      code: "EADDRINUSE",
      message: "Address already in use",
      address,
    });
    expect(readdirSync(folder)).toEqual(["s"]);
    const before = accepted.length;
    await dial(ipc, address);
    await until("it is accepted", () => accepted.length === before + 1);
  });

  it("a socket that refuses connections is replaced", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "s");
    await stale(path);
    await pair(ipc, `ipc://${path}`);
    expect(readdirSync(folder)).toEqual(["s"]);
  });

  it("a file that is no socket, a folder and a link stay: EADDRINUSE", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "file");
    writeFileSync(file, "precious");
    mkdirSync(join(folder, "folder"));
    await stale(join(folder, "stale"));
    symlinkSync(join(folder, "stale"), join(folder, "link"));
    const before = readdirSync(folder);
    for (const name of ["file", "folder", "link"]) {
      expect((await rejection(listening(`ipc://${join(folder, name)}`))).code).toBe("EADDRINUSE");
    }
    expect(readdirSync(folder)).toEqual(before);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  it.each(["nothing", "a stale socket"])(
    "of ten that bind at once over %s exactly one succeeds",
    async (what) => {
      const folder = temporaryFolder();
      const path = join(folder, "s");
      if (what !== "nothing") await stale(path);
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => listening(`ipc://${path}`)));
      const bound = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      for (const listener of bound) atEnd(() => listener.close());
      expect(bound).toHaveLength(1);
      const codes = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
      expect(codes).toEqual(Array(9).fill("EADDRINUSE"));
      expect(readdirSync(folder)).toEqual(["s"]);
      await dial(ipc, `ipc://${path}`);
    },
  );

  it("a second worker of a node:cluster gets EADDRINUSE", async () => {
    const address = `ipc://${join(temporaryFolder(), "s")}`;
    const program = run("cluster.ts", address);
    expect(await program.line()).toBe(address);
    expect(await program.line()).toBe("EADDRINUSE");
  });
});

describe("EP-6, B-38, N-25: close", () => {
  it("removes the path, and accepted streams live on", async () => {
    const folder = temporaryFolder();
    const { listener, near, far } = await pair(ipc, `ipc://${join(folder, "s")}`);
    await Promise.all([listener.close(), listener.close()]);
    expect(readdirSync(folder)).toEqual([]);
    near.stream.write([Buffer.from("x")]);
    await far.recorder.until(() => far.recorder.received === 1);
    await pair(ipc, listener.address);
  });

  it("removes nothing when the path is gone", async () => {
    const path = join(temporaryFolder(), "s");
    const { listener } = await listenOn(ipc, `ipc://${path}`);
    unlinkSync(path);
    await expect(listener.close()).resolves.toBeUndefined();
  });

  it("leaves the path to another who has it now", async () => {
    const path = join(temporaryFolder(), "s");
    const { listener } = await listenOn(ipc, `ipc://${path}`);
    unlinkSync(path);
    const second = await listenOn(ipc, `ipc://${path}`);
    await listener.close();
    expect(existsSync(path)).toBe(true);
    await dial(ipc, `ipc://${path}`);
    await second.listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it("leaves a file that has taken its place", async () => {
    const path = join(temporaryFolder(), "s");
    const { listener } = await listenOn(ipc, `ipc://${path}`);
    renameSync(path, `${path}.moved`);
    writeFileSync(path, "precious");
    await listener.close();
    expect(readFileSync(path, "utf8")).toBe("precious");
    rmSync(`${path}.moved`);
  });

  it("a killed process leaves a socket that the next one replaces", async () => {
    const path = join(temporaryFolder(), "s");
    const program = run("cluster.ts", `ipc://${path}`);
    await program.line();
    await program.line();
    program.child.kill("SIGKILL");
    await program.finished;
    await until("its workers are gone too", () =>
      dial(ipc, `ipc://${path}`).then(
        () => false,
        (error) => error.code === "ECONNREFUSED",
      ),
    );
    expect(lstatSync(path).isSocket()).toBe(true);
    await pair(ipc, `ipc://${path}`);
  });
});

describe("cancel", () => {
  it("nothing comes any more", async () => {
    const { listener } = await listenOn(ipc, `ipc://${join(temporaryFolder(), "s")}`);
    let calls = 0;
    ipc.dial(listener.address, defaults, () => calls++).cancel();
    const connecting = ipc.dial(listener.address, defaults, () => calls++);
    await new Promise((resolve) => process.nextTick(resolve));
    connecting.cancel();
    await later(30);
    expect(calls).toBe(0);
  });
});
