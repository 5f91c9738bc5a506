import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { useIpcAddresses } from "../support/folder.ts";
import { until } from "../support/wait.ts";

const OPTIONS = { linger: 0, reconnectInterval: 10 };

describe("need 25, EP-6: what happens to the path of a live ipc socket", () => {
  const addresses = useIpcAddresses();
  const open: zmtp.Socket[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((socket) => socket.close()));
  });
  const opened = <T extends zmtp.Socket>(socket: T): T => {
    open.push(socket);
    return socket;
  };

  /** A PULL bound in a folder of its own, and a PUSH whose message has arrived. */
  async function live() {
    const folder = addresses().slice("ipc://".length);
    mkdirSync(folder);
    const path = join(folder, "s");
    const address = `ipc://${path}`;
    const pull = opened(new zmtp.Pull(OPTIONS));
    await pull.bind(address);
    const push = opened(new zmtp.Push(OPTIONS));
    push.connect(address);
    await passes(push, pull);
    return { folder, path, address, pull, push };
  }

  async function passes(push: zmtp.Push, pull: zmtp.Pull): Promise<void> {
    const text = String(Math.random());
    await push.send(text);
    expect(String(await pull.receive())).toBe(text);
  }

  /** The socket's next handshake: what is sent after it goes to that peer. */
  function nextPeer(socket: zmtp.Socket): Promise<unknown> {
    return new Promise((resolve) => socket.events.on("handshake", resolve));
  }

  async function bound(address: string): Promise<zmtp.Pull> {
    const pull = opened(new zmtp.Pull(OPTIONS));
    await pull.bind(address);
    return pull;
  }

  it("removed: connections go on, new ones fail and are tried again; another can bind, and keeps the path", async () => {
    const { path, address, pull, push } = await live();
    unlinkSync(path);
    await passes(push, pull);

    const late = opened(new zmtp.Push(OPTIONS));
    const failures: (Error | undefined)[] = [];
    late.events.on("connect:retry", ({ error }) => failures.push(error));
    late.connect(address);
    await until("the dial has failed", () => failures.length > 1);
    expect(failures[0]).toMatchObject({ code: "ENOENT" });

    const second = await bound(address);
    await passes(late, second);
    await passes(push, pull);
    const found = nextPeer(push);
    await pull.close();
    expect(existsSync(path)).toBe(true);
    await found;
    await passes(push, second);
    await second.close();
    expect(existsSync(path)).toBe(false);
  });

  it("replaced by a plain file: it stays, whoever binds and whoever closes", async () => {
    const { path, address, pull, push } = await live();
    unlinkSync(path);
    writeFileSync(path, "precious");
    await passes(push, pull);
    await expect(bound(address)).rejects.toMatchObject({ code: "EADDRINUSE", address });
    const late = opened(new zmtp.Push(OPTIONS));
    const failures: (Error | undefined)[] = [];
    late.events.on("connect:retry", ({ error }) => failures.push(error));
    late.connect(address);
    await until("the dial has failed", () => failures.length > 0);
    expect(failures[0]).toMatchObject({ code: "ECONNREFUSED" });
    await pull.close();
    expect(readFileSync(path, "utf8")).toBe("precious");
  });

  it("replaced by another's live socket: it stays", async () => {
    const { path, pull, push } = await live();
    let met = 0;
    const stranger = createServer((socket) => {
      met += 1;
      socket.on("error", () => {}).destroy();
    });
    await new Promise<void>((resolve) => stranger.listen(`${path}.new`, resolve));
    renameSync(`${path}.new`, path);
    await passes(push, pull);
    await pull.close();
    expect(existsSync(path)).toBe(true);
    await until("our PUSH has tried the stranger", () => met > 0);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it("replaced by a dead socket: the next one binds in its place, and the first leaves it alone", async () => {
    const { path, address, pull, push } = await live();
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(`${path}.dead`, resolve));
    unlinkSync(path);
    linkSync(`${path}.dead`, path);
    await new Promise((resolve) => dead.close(resolve));
    const second = await bound(address);
    const found = nextPeer(push);
    await pull.close();
    expect(existsSync(path)).toBe(true);
    await found;
    await passes(push, second);
  });

  it("its folder gone: connections go on, a bind says ENOENT, close is quiet; with a new folder all is well", async () => {
    const { folder, address, pull, push } = await live();
    rmSync(folder, { recursive: true });
    await passes(push, pull);
    await expect(bound(address)).rejects.toMatchObject({ code: "ENOENT", address });
    await pull.close();
    const found = nextPeer(push);
    mkdirSync(folder);
    const second = await bound(address);
    await found;
    await passes(push, second);
  });

  it("unbind and bind again at a path that was removed", async () => {
    const { path, address, pull, push } = await live();
    unlinkSync(path);
    const found = nextPeer(push);
    await pull.unbind(address);
    await pull.bind(address);
    await found;
    await passes(push, pull);
    expect(existsSync(path)).toBe(true);
  });

  it("no right to write the folder: EACCES; no right to the socket: EACCES, and tried again", async () => {
    const { path, address, pull } = await live();
    const folder = dirname(path);
    const late = opened(new zmtp.Push(OPTIONS));
    const failures: (Error | undefined)[] = [];
    late.events.on("connect:retry", ({ error }) => failures.push(error));
    chmodSync(dirname(folder), 0o755);
    chmodSync(folder, 0o555);
    chmodSync(path, 0o000);
    await asNobody(async () => {
      const other = `ipc://${join(folder, "other")}`;
      await expect(bound(other)).rejects.toMatchObject({ code: "EACCES", address: other });
      late.connect(address);
      await until("the dial has failed", () => failures.length > 1);
    });
    expect(failures[0]).toMatchObject({ code: "EACCES" });
    chmodSync(folder, 0o755);
    chmodSync(path, 0o600);
    await passes(late, pull);
  });
});

/** Permissions mean nothing to root. */
async function asNobody(body: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await body();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
