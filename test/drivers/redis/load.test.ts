import { expect, it } from "vitest";
import { describeWithRedis, startRedis, useRedis } from "../../support/redis-server.ts";
import { sleep, until } from "../../support/wait.ts";
import { type Database, useWorld } from "../world.ts";
import { RedisWorld } from "./redis-world.ts";

const DETECT = { heartbeatInterval: 300, heartbeatTimeout: 300, sendTimeout: 300, handshakeInterval: 500 };

describeWithRedis("writers and controllers under load: every event comes, or a sync that covers it", () => {
  const server = useRedis(() => startRedis());
  const world = useWorld();
  const redis = new RedisWorld(world, server);

  it.each([
    ["connections killed", () => server().cli("CLIENT", "KILL", "TYPE", "pubsub")],
    ["connections of writers killed", () => server().cli("CLIENT", "KILL", "TYPE", "normal")],
    ["killed and restarted", () => server().restart()],
    [
      "frozen and thawed",
      async () => {
        server().freeze();
        await sleep(1000);
        server().thaw();
      },
    ],
    [
      "dead for longer than writers try",
      async () => {
        await server().kill();
        await sleep(700);
        await server().restart();
      },
    ],
  ])(
    "%s",
    async (_name, strike: () => Promise<unknown>) => {
      const controllers = await Promise.all(
        Array.from({ length: 2 }, () => redis.controller(DETECT).start([], ["D", "t"])),
      );
      const writers = Array.from({ length: 2 }, () => redis.writer(DETECT));
      let isWriting = true;
      let refused = 0;
      const load = writers.map(async (writer, i) => {
        for (let n = 0; isWriting; n += 1) {
          const written = Promise.all(
            Array.from({ length: 5 }, (_, k) =>
              world.write(writer, `${i}: ${(5 * n + k) % 100}`, n % 2 ? "D" : "t"),
            ),
          );
          await written.catch(() => (refused += 1));
          await sleep(1);
        }
      });
      await sleep(200);
      await strike();
      await sleep(300);
      isWriting = false;
      await Promise.all(load);
      for (const controller of controllers)
        await until("the copy equals the database", () => isSame(controller.copy, world.database), 15_000);
      // A sync of a writer that was refused something may still be under way.
      for (const writer of writers) await until("nothing waits", () => writer.stats().queued === 0);
      if (refused === 0) for (const writer of writers) expect(writer.stats().dropped).toBe(0);
    },
    40_000,
  );
});

function isSame(copy: Database, database: Database): boolean {
  return copy.size === database.size && [...copy].every(([key, value]) => database.get(key) === value);
}
