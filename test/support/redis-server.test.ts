import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { Child } from "./children.ts";
import { RedisProcess } from "./redis/process.ts";
import {
  describeWithRedis,
  type RedisServer,
  redisCli,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  useRedis,
} from "./redis-server.ts";
import { until } from "./wait.ts";

const SLOW = 60_000; // an election on a loaded machine

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describeWithRedis("one server", () => {
  it("answers, is killed, restarted and stopped, and leaves nothing", async () => {
    const redis = await startRedis({ unix: true, set: ["maxmemory 64mb"] });
    const pid = redis.pid!;
    expect(await redis.cli("PING")).toBe("PONG");
    expect(await redisCli(redis.port, "CONFIG", "GET", "maxmemory")).toBe(`maxmemory\n${64 * 2 ** 20}`);
    expect(existsSync(redis.unix!)).toBe(true);

    await redis.kill();
    expect([redis.isRunning, isAlive(pid)]).toEqual([false, false]);
    await expect(redis.cli("PING")).rejects.toThrow("Connection refused");
    await redis.restart();
    expect(await redis.cli("PING")).toBe("PONG");

    await redis.stop();
    expect([redis.isRunning, existsSync(dirname(redis.unix!))]).toEqual([false, false]);
  });

  it("a frozen server answers when it is thawed", async () => {
    await using redis = await startRedis();
    redis.freeze();
    const isStopped = (): boolean => readFileSync(`/proc/${redis.pid}/status`, "utf8").includes("State:\tT");
    await until("the kernel has stopped it", isStopped);
    const answer = redis.cli("PING");
    redis.thaw();
    expect(await answer).toBe("PONG");
  });

  it("an error is an error, and so is a server that does not start", async () => {
    await using redis = await startRedis();
    await expect(redis.cli("NOPE")).rejects.toThrow("unknown command");
    await expect(startRedis({ set: ["nonsense yes"] })).rejects.toThrow("Bad directive");
  });

  it("another one that answers on its port is not taken for it", async () => {
    await using other = await startRedis();
    const process = new RedisProcess("server");
    process.configure(["bind 127.0.0.1", `port ${other.port}`]);
    await expect(process.start()).rejects.toThrow("Address already in use");
    await process.remove();
  });

  it("passwords and users", async () => {
    await using guarded = await startRedis({ requirepass: "secret" });
    await expect(redisCli(guarded.port, "PING")).rejects.toThrow("NOAUTH");
    expect(await guarded.cli("PING")).toBe("PONG");

    await using withUser = await startRedis({ acl: { username: "alice", password: "secret" } });
    await expect(redisCli(withUser.port, "PING")).rejects.toThrow("NOAUTH");
    expect(await withUser.cli("ACL", "WHOAMI")).toBe("alice");
  });

  it("TLS beside the plain port, with a certificate of its own authority", async () => {
    await using redis = await startRedis({ tls: true });
    expect(await redisCli({ port: redis.tlsPort!, ca: redis.tls!.ca }, "PING")).toBe("PONG");
    expect(await redis.cli("PING")).toBe("PONG");
  });

  it("goes with its owner, even when that is killed", async () => {
    const program = `import { startRedis } from "./test/support/redis/server.ts";
      const { pid, unix } = await startRedis({ unix: true });
      console.log(pid, unix);
      setInterval(() => {}, 1000);`;
    const owner = new Child(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program]);
    const [pid, unix] = (await owner.line(/^\d+ /)).split(" ");
    expect([isAlive(Number(pid)), existsSync(unix!)]).toEqual([true, true]);
    await owner.kill();
    await until("the server is gone", () => !isAlive(Number(pid)));
    await until("its folder is gone", () => !existsSync(dirname(dirname(unix!))));
  });
});

describeWithRedis("a cluster", () => {
  const cluster = useRedis(() => startRedisCluster());

  it("three masters and a replica each", async () => {
    const { nodes } = cluster();
    const roles = await Promise.all(nodes.map(async (node) => (await node.cli("ROLE")).split("\n")[0]));
    expect(roles).toEqual(["master", "master", "master", "slave", "slave", "slave"]);
    // CRC16 of "123456789" is 0x31C3, slot 12739: the last third.
    expect(await cluster().ownerOf("123456789")).toBe(nodes[2]);
    expect(await cluster().replicasOf(nodes[2]!)).toEqual([nodes[5]]);
  });

  it("a slot moves", { timeout: SLOW }, async () => {
    const target = cluster().nodes[0]!;
    await cluster().moveSlot("123456789", target);
    expect(await cluster().ownerOf("123456789")).toBe(target);
    expect(await target.cli("SPUBLISH", "123456789", "x")).toBe("0");
  });

  it(
    "a killed master's replica takes over, and the master comes back as a replica",
    async () => {
      const [old, heir] = [cluster().nodes[1]!, cluster().nodes[4]!];
      await old.kill();
      await cluster().promoted(heir);
      await old.restart();
      await until("the old master follows", async () => (await old.cli("ROLE")).startsWith("slave"));
      await cluster().settled();
    },
    SLOW,
  );
});

describeWithRedis("sentinels", () => {
  it(
    "elect another master",
    async () => {
      await using lab = await startRedisSentinel();
      const old: RedisServer = await lab.master();
      expect(old).toBe(lab.nodes[0]);
      await old.kill();
      expect(await lab.failedOver(old)).toBe(lab.nodes[1]);
    },
    SLOW,
  );
});
