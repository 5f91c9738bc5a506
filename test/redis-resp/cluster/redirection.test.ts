import { describe, expect, it } from "vitest";
import { RedisCluster } from "../../../src/redis-resp/cluster/cluster.ts";
import type { Environment } from "../../../src/runtime/environment.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { stablePort } from "../../support/ports.ts";
import { sleep, until, within } from "../../support/wait.ts";
import { allSlots, ScriptedNode } from "./scripted-node.ts";

const NO_SHARDS = "-ERR unknown subcommand 'SHARDS'. Try CLUSTER HELP.\r\n";

/** A node that serves all slots, and answers what is no question about the cluster. */
function wholeCluster(answer: (command: string, node: ScriptedNode) => string | null): ScriptedNode {
  return new ScriptedNode((command, node) => {
    if (command === "CLUSTER SHARDS") return NO_SHARDS;
    if (command === "CLUSTER SLOTS") return allSlots(node.port);
    return answer(command, node);
  });
}

function clusterOf(node: ScriptedNode, options = {}): RedisCluster {
  return new RedisCluster({ nodes: [{ port: node.port }], ...options });
}

/** Timers of that length go off when the test says so, all others by themselves; `ahead` is added to the time. */
class HandTimers {
  ahead = 0;
  readonly held: Set<() => void> = new Set();
  readonly environment: Environment;

  constructor(isHeld: (ms: number) => boolean) {
    const real = nodeEnvironment();
    this.environment = {
      ...real,
      random: () => 0,
      now: () => real.now() + this.ahead,
      setTimer: (ms, done) => {
        if (!isHeld(ms)) return real.setTimer(ms, done);
        this.held.add(done);
        return { cancel: () => this.held.delete(done) };
      },
    };
  }

  goOff(): void {
    for (const done of this.held) {
      this.held.delete(done);
      done();
    }
  }
}

describe("what nodes say, word by word", () => {
  it("a node without SHARDS is asked for SLOTS, one without either for NODES", async () => {
    await using old = await new ScriptedNode((command, node) => {
      if (command === "GET k") return "$1\r\nv\r\n";
      if (command !== "CLUSTER NODES") return "-ERR unknown subcommand\r\n";
      const line = `a :${node.port}@1 myself,master - 0 0 1 connected 0-16383\n`;
      return `$${line.length}\r\n${line}\r\n`;
    }).listen();
    await using cluster = clusterOf(old);
    expect(await cluster.get("k", { text: true })).toBe("v");
    expect(old.commands).toEqual(["CLUSTER SHARDS", "CLUSTER SLOTS", "CLUSTER NODES", "GET k"]);
  });

  it("a server that is no cluster says so", async () => {
    await using single = await new ScriptedNode(
      () => "-ERR This instance has cluster support disabled\r\n",
    ).listen();
    await using cluster = clusterOf(single);
    await expect(cluster.refresh()).rejects.toMatchObject({
      name: "ReplyError",
      message: "ERR This instance has cluster support disabled",
    });
    await expect(cluster.get("k")).rejects.toMatchObject({ code: "ERR" });
  });

  it("MOVED in a circle ends, with MOVED", async () => {
    await using node = await wholeCluster((_, { port }) => `-MOVED 12706 127.0.0.1:${port}\r\n`).listen();
    await using cluster = clusterOf(node, { maxRedirections: 5 });
    await expect(cluster.get("k")).rejects.toMatchObject({ name: "ReplyError", code: "MOVED" });
    expect(node.commands.filter((command) => command === "GET k")).toHaveLength(6);
  });

  it("MOVED without a host leads to the one that was asked", async () => {
    await using other = await new ScriptedNode(() => "$1\r\nv\r\n").listen();
    await using node = await wholeCluster(() => `-MOVED 12706 :${other.port}\r\n`).listen();
    await using cluster = clusterOf(node);
    expect(await cluster.get("k", { text: true })).toBe("v");
  });

  it.each(["MOVED __proto__ x:1", "MOVED 99999 127.0.0.1:1", "MOVED 1 x:99999"])(
    "%s is an error like others",
    async (text) => {
      await using node = await wholeCluster(() => `-${text}\r\n`).listen();
      await using cluster = clusterOf(node);
      await expect(cluster.get("k")).rejects.toMatchObject({ message: text });
      expect(node.commands.filter((command) => command === "GET k")).toHaveLength(1);
      expect(Object.keys(Array.prototype)).toEqual([]);
    },
  );

  it("ASK leads elsewhere this once, with ASKING right before the command", async () => {
    await using importing = await new ScriptedNode(() => "+OK\r\n").listen();
    await using node = await wholeCluster(() => `-ASK 12706 127.0.0.1:${importing.port}\r\n`).listen();
    await using cluster = clusterOf(node);
    await Promise.all([cluster.set("k", 1), cluster.set("k", 2)]);
    expect(importing.commands).toEqual(["ASKING", "SET k 1", "ASKING", "SET k 2"]);
    expect(node.commands.filter((command) => command.startsWith("SET"))).toHaveLength(2);
  });

  it.each([
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "CLUSTERDOWN The cluster is down",
    "LOADING",
  ])("%s: refused, so tried again, within a bound", async (text) => {
    let refusals = 3;
    await using node = await wholeCluster(() => (refusals-- > 0 ? `-${text}\r\n` : "$1\r\nv\r\n")).listen();
    await using cluster = clusterOf(node, { maxRedirections: 3 });
    expect(await cluster.get("k", { text: true })).toBe("v");
    refusals = 4;
    await expect(cluster.get("k")).rejects.toMatchObject({ message: text });
  });

  it.each([
    "NOPERM this user has no permissions",
    "WRONGTYPE Operation",
    "OOM command not allowed",
    "EXECABORT x",
  ])("%s: not tried again", async (text) => {
    await using node = await wholeCluster(() => `-${text}\r\n`).listen();
    await using cluster = clusterOf(node);
    await expect(cluster.incr("k")).rejects.toMatchObject({ message: text });
    expect(node.commands.filter((command) => command === "INCR k")).toHaveLength(1);
  });

  it("what was sent and not answered has an unknown fate, and is never sent again", async () => {
    await using node = await wholeCluster((_, { sockets }) => {
      for (const socket of sockets) socket.destroy();
      return null;
    }).listen();
    await using cluster = clusterOf(node);
    await expect(cluster.incr("k")).rejects.toMatchObject({ code: "EUNKNOWN" });
    expect(node.commands.filter((command) => command === "INCR k")).toHaveLength(1);
  });

  it("a node that goes while it is asked who serves what: the command was not sent, and is tried again", async () => {
    let stays = false;
    await using node = await new ScriptedNode((command, { port, sockets }) => {
      if (command === "CLUSTER SHARDS") return NO_SHARDS;
      if (command === "GET k") return "$1\r\nv\r\n";
      if (stays) return allSlots(port);
      stays = true;
      for (const socket of sockets) socket.destroy();
      return null;
    }).listen();
    await using cluster = clusterOf(node);
    expect(await cluster.get("k", { text: true })).toBe("v");
  });

  it("a node that goes while refresh asks it: the refresh has failed, and nothing is of unknown fate", async () => {
    await using node = await new ScriptedNode((_, { sockets }) => {
      for (const socket of sockets) socket.destroy();
      return null;
    }).listen();
    await using cluster = clusterOf(node);
    await expect(cluster.refresh()).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("a command that is too late is rejected once, and not sent again when a redirection comes after all", async () => {
    await using other = await new ScriptedNode(() => "+OK\r\n").listen();
    let redirect = (): void => {};
    await using node = await wholeCluster((_, { sockets }) => {
      redirect = () => {
        for (const socket of sockets) socket.write(`-MOVED 12706 127.0.0.1:${other.port}\r\n$1\r\nv\r\n`);
      };
      return null;
    }).listen();
    const hour = 3_600_000;
    const timers = new HandTimers((ms) => ms > hour / 2);
    const options = { nodes: [{ port: node.port }], commandTimeout: hour, pingInterval: 0 };
    await using cluster = new RedisCluster(options, timers.environment);
    const late = expect(cluster.set("k", 1)).rejects.toMatchObject({ code: "EUNKNOWN" });
    await until("it is sent", () => node.commands.includes("SET k 1"));
    timers.ahead = hour;
    timers.goOff();
    await late;
    const next = cluster.get("k", { text: true });
    redirect();
    expect(await next).toBe("v");
    expect(other.commands).toEqual([]);
  });

  it("nobody there: rejected in the end with what stood in the way", async () => {
    const port = await stablePort();
    await using cluster = new RedisCluster({ nodes: [{ port }], maxRedirections: 2 });
    await expect(cluster.get("k")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(cluster.publish("a", "b")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a node that hangs holds up nobody who can ask another", async () => {
    await using silent = await new ScriptedNode(() => null).listen();
    await using node = await wholeCluster(() => "$1\r\nv\r\n").listen();
    await using cluster = new RedisCluster({ nodes: [{ port: silent.port }, { port: node.port }] });
    // Well before the 20 s after which the silent one would be given up.
    expect(await within(10_000, "the other node's answer", cluster.get("k", { text: true }))).toBe("v");
  });
});

describe("close", () => {
  it("waits for what was sent, and takes no more", async () => {
    let answer = (): void => {};
    await using node = await wholeCluster((_, { sockets }) => {
      answer = () => {
        for (const socket of sockets) socket.write("$1\r\nv\r\n");
      };
      return null;
    }).listen();
    const cluster = clusterOf(node);
    const slow = cluster.get("slow", { text: true });
    await until("it is sent", () => node.commands.includes("GET slow"));
    const closed = cluster.close();
    await expect(cluster.get("k")).rejects.toMatchObject({ code: "EBADF" });
    await expect(cluster.refresh()).rejects.toMatchObject({ code: "EBADF" });
    answer();
    expect(await slow).toBe("v");
    await closed;
    await until("all is closed", () => [...node.sockets].every((socket) => socket.destroyed));
    expect(cluster.stats()).toEqual({ commands: 1, pending: 0 });
  });

  it("what waits to be tried again is not", async () => {
    await using node = await wholeCluster(() => "-CLUSTERDOWN\r\n").listen();
    const cluster = clusterOf(node, { maxRedirections: 1e6 });
    const refused = expect(cluster.get("k")).rejects.toMatchObject({
      code: expect.stringMatching(/^(EBADF|CLUSTERDOWN)$/),
    });
    await until("it has been tried again", () => node.commands.filter((one) => one === "GET k").length > 2);
    await cluster.close();
    await refused;
  });

  it("what waits for the answer to who serves what is not, whenever that comes", async () => {
    await using node = await new ScriptedNode(() => null).listen();
    const cluster = clusterOf(node);
    const refused = expect(cluster.get("k")).rejects.toMatchObject({ code: "EBADF" });
    await until("the node is asked", () => node.commands.length > 0);
    await within(10_000, "the end", cluster.close()); // the node would be given up after 20 s
    await refused;
    await until("all is closed", () => [...node.sockets].every((socket) => socket.destroyed));
  });

  it("destroy ends at once what was sent", async () => {
    await using node = await wholeCluster(() => null).listen();
    const cluster = clusterOf(node);
    const sent = expect(cluster.get("k")).rejects.toMatchObject({ code: "EUNKNOWN" });
    await until("it is sent", () => node.commands.includes("GET k"));
    cluster.destroy();
    await sent;
  });
});

describe("limits and arguments", () => {
  it("more than maxQueuedCommands or maxQueuedBytes do not wait", async () => {
    await using node = await wholeCluster(() => null).listen();
    const few = clusterOf(node, { maxQueuedCommands: 2 });
    const waiting = [few.get("a"), few.get("b")].map((one) =>
      expect(one).rejects.toMatchObject({ code: expect.stringMatching(/^(EBADF|EUNKNOWN)$/) }),
    );
    await expect(few.get("c")).rejects.toMatchObject({ code: "ENOBUFS" });
    few.destroy();
    const small = clusterOf(node, { maxQueuedBytes: 1000 });
    waiting.push(
      expect(small.set("a", "x".repeat(1000))).rejects.toMatchObject({
        code: expect.stringMatching(/^(EBADF|EUNKNOWN)$/),
      }),
    );
    await expect(small.get("c")).rejects.toMatchObject({ code: "ENOBUFS" });
    small.destroy();
    await Promise.all(waiting);
  });

  it.each([
    ["tried again", "-CLUSTERDOWN\r\n"],
    ["answered", null],
  ])("a signal gives up a command that waits to be %s", async (_, reply) => {
    await using node = await wholeCluster(() => reply).listen();
    await using cluster = clusterOf(node, { maxRedirections: 1e6 });
    const abort = new AbortController();
    const { signal } = abort;
    const waiting = cluster.get("k", { signal });
    await until("it is sent", () => node.commands.includes("GET k"));
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(cluster.get("k", { signal })).rejects.toThrow("enough");
    expect(cluster.stats().pending).toBe(0);
  });

  it.each([
    [{ nodes: [] }, "EINVAL"],
    [{ nodes: [{ port: 0 }] }, "EINVAL"],
    [{ nodes: [{ host: "" }] }, "EINVAL"],
    [{ nodes: [{}], db: 1 }, "EINVAL"],
    [{ nodes: [{}], maxRedirections: -1 }, "EINVAL"],
    [{ nodes: [{}], retries: 1 }, "EINVAL"],
  ])("%j is refused", (options, code) => {
    expect(() => new RedisCluster(options)).toThrow(expect.objectContaining({ code }));
  });

  it("the wrong kind of argument is a TypeError, at the call", async () => {
    expect(() => new RedisCluster({ nodes: "x" as never })).toThrow(TypeError);
    expect(() => new RedisCluster({ nodes: ["x" as never] })).toThrow(TypeError);
    await using cluster = new RedisCluster({ nodes: [{}] });
    expect(() => cluster.get(null as never)).toThrow(TypeError);
  });
});

describe("a cluster that is destroyed", () => {
  it("while it looks for who serves what: no node is spoken to any more", async () => {
    await using silent = await new ScriptedNode(() => null).listen();
    await using other = await wholeCluster(() => "$1\r\nv\r\n").listen();
    const nodes = [silent, other].map(({ port }) => ({ port }));
    const timers = new HandTimers((ms) => ms === 100); // after which the second is asked
    const cluster = new RedisCluster({ nodes }, timers.environment);
    const asked = cluster.get("k");
    await until("the first is asked", () => silent.commands.length > 0);
    cluster.destroy();
    timers.goOff();
    await expect(asked).rejects.toMatchObject({ code: "EBADF" });
    await sleep(50);
    expect(other.sockets.size).toBe(0);
  });

  it("while a command is about to be tried again: it is rejected at once, and nobody is asked", async () => {
    await using node = await wholeCluster(() => "-TRYAGAIN later\r\n").listen();
    const timers = new HandTimers((ms) => ms === 25); // half of the pause before the second retry
    const cluster = new RedisCluster({ nodes: [{ port: node.port }] }, timers.environment);
    const pending = cluster.get("k");
    await until("it waits to be tried again", () => timers.held.size > 0);
    const { size } = node.sockets;
    cluster.destroy();
    expect(timers.held.size).toBe(0);
    expect(cluster.stats().pending).toBe(0);
    await expect(pending).rejects.toMatchObject({ code: "EBADF" });
    await sleep(50);
    expect(node.sockets.size).toBe(size);
  });
});
