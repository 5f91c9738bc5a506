import { expect, it } from "vitest";
import { sleep } from "../support/wait.ts";
import { join } from "./endpoints.ts";
import { digests, type Shape } from "./peers/messages.ts";
import { describeWithLibzmq } from "./with-peers.ts";

const COUNT = 20_000;
const SHAPES: readonly Shape[] = Array.from({ length: COUNT }, (_, i) =>
  i % 3 === 0 ? [1000, 0, 1000] : [1000],
);
const NARROW = { sendHighWaterMark: 10, receiveHighWaterMark: 10 };

function only(option: keyof typeof NARROW): Record<string, number> {
  return { [option]: NARROW[option] };
}

describeWithLibzmq("PP-6: a PULL that stops reading stops the PUSH and loses nothing", (sides) => {
  for (const oursPulls of [true, false]) {
    for (const pushBinds of [true, false]) {
      const who = oursPulls ? "our PULL" : "their PULL";
      it(`${who} stops reading, the ${pushBinds ? "PUSH" : "PULL"} binds`, async () => {
        const { ours, theirs } = sides();
        // Heartbeats on our side only: while we do not read we cannot hear, and must not take that for silence.
        const heartbeat = oursPulls ? { heartbeatInterval: 100, heartbeatTimeout: 600 } : {};
        const puller = oursPulls ? ours : theirs;
        const pull = await puller.open("Pull", { ...only("receiveHighWaterMark"), ...heartbeat });
        const push = await (oursPulls ? theirs : ours).open("Push", only("sendHighWaterMark"));
        await join(pushBinds ? [push, pull] : [pull, push]);
        await pull.pause();

        let allTaken = false;
        const sent = push.send(0, SHAPES).then(() => {
          allTaken = true;
        });
        await sleep(1500);
        expect(allTaken).toBe(false);

        const received = pull.receive(COUNT);
        await pull.resume();
        await sent;
        expect(await received).toEqual(digests(0, SHAPES));
        expect(pull.unheard.filter((event) => event === "disconnect")).toEqual([]);
        await Promise.all([pull.close(), push.close()]);
      });
    }
  }
});
