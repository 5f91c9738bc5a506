import fc from "fast-check";
import { expect, it } from "vitest";
import { ConnectionWorld, commandsIn } from "../scripted.ts";

/**
 * What happens next: commands of one turn, a fence, replies to some of what the server has got, a push, time; or the server allows PING,
 * or SUBSCRIBE, no longer, or again.
 */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("ask" as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("fence" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("answer" as const), count: fc.integer({ min: 1, max: 40 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("push" as const), count: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("togglePing" as const, "toggleSubscribe" as const),
      count: fc.constant(1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("time" as const), count: fc.integer({ min: 1, max: 80 }) }),
  },
);

const ending = fc.constantFrom("well", "reset", "close", "malformed", "destroy");

it("every reply goes to its own command, each settles once, and what was not sent never arrived", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      ending,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 10, max: 3000 }),
      fc.boolean(),
      fc.integer(),
      async (steps, end, maxChunk, capacity, isTimed, seed) => {
        const world = new ConnectionWorld({ commandTimeout: isTimed ? 100 : 0, pingInterval: 0 }, seed);
        const { connection, server, network } = world;
        connection.protocol = 3;
        network.maxChunk = maxChunk;
        network.capacity = capacity;
        const settled = new Map<string, string[]>();
        const arrived = new Set<string>();
        const unanswered: string[] = [];
        const refused = new Set<string>();
        const may = { ping: true, subscribe: true };
        let taken = 0;

        const next = (): string => {
          const id = `${settled.size}`;
          settled.set(id, []);
          return id;
        };
        const ask = (): void => {
          const id = next();
          connection.request(["ECHO", id], {
            resolve: (value) => settled.get(id)?.push(`+${value}`),
            reject: ({ code }) => settled.get(id)?.push(code),
          });
        };
        const fence = (): void => {
          const id = next();
          connection.fenced(["SUBSCRIBE", id], (error) =>
            settled.get(id)?.push(error === null ? `+${id}` : error.code),
          );
        };
        const look = (): void => {
          const complete = commandsIn(server.received);
          for (const [name, id] of complete.slice(taken)) {
            if (id !== undefined) arrived.add(id);
            if (name === "SUBSCRIBE" && !may.subscribe) refused.add(id as string);
            const isRefused = name === "PING" ? !may.ping : refused.has(id as string);
            if (isRefused) unanswered.push("-NOPERM no\r\n");
            else if (name === "PING") unanswered.push("+PONG\r\n");
            else if (name === "ECHO") unanswered.push(`+${id}\r\n`);
            else unanswered.push(`>3\r\n+subscribe\r\n+${id}\r\n:1\r\n`);
          }
          taken = complete.length;
        };

        for (const { kind, count } of steps) {
          if (kind === "time") await world.advance(count);
          else if (kind === "togglePing") may.ping = !may.ping;
          else if (kind === "toggleSubscribe") may.subscribe = !may.subscribe;
          else if (kind === "answer") {
            look();
            server.say(unanswered.splice(0, count).join(""));
          } else
            for (let i = 0; i < count; i++)
              kind === "ask" ? ask() : kind === "fence" ? fence() : server.say(">1\r\n+x\r\n");
          if (kind !== "ask") await world.turns(count);
        }
        if (end === "reset") world.near.reset();
        if (end === "close") server.stream.destroy();
        if (end === "malformed") server.say("@\r\n");
        if (end === "destroy") connection.destroy();
        await world.settle();
        look();
        if (end === "well") server.say(unanswered.splice(0).join(""));
        await world.settle();

        for (const [id, outcomes] of settled) {
          expect(outcomes, `of ${id}`).toHaveLength(1);
          const [outcome] = outcomes as [string];
          if (outcome.startsWith("+")) expect(outcome).toBe(refused.has(id) ? "NOPERM" : `+${id}`);
          else if (outcome === "NOPERM") expect(refused).toContain(id);
          else if (end === "well") expect([outcome, isTimed]).toEqual(["EUNKNOWN", true]);
          else if (outcome !== "EUNKNOWN") expect(arrived.has(id), `${id} ${outcome}`).toBe(false);
        }
        expect(world.ends).toHaveLength(end === "well" ? 0 : 1);
      },
    ),
    { numRuns: 150 },
  );
});
