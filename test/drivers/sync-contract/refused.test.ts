import { describe, expect, it } from "vitest";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Context, type Environment } from "../../../src/sockets/index.ts";
import { bytes, GREETING_3_1 } from "../../interop/peers/bytes.ts";
import { OldPublisher, type RawListener, useRawPeers } from "../../interop/peers/raw-peer.ts";
import { sleep } from "../../support/wait.ts";
import { useWorld } from "../world.ts";

describe("DESIGN 5, ERROR received: the drivers report it and ask again every 60 s", () => {
  const world = useWorld();
  const raw = useRawPeers();

  /** The real runtime, but that timers of 60 s wait for the test. */
  function minutes(): { environment: Environment; due: (() => void)[] } {
    const node = nodeEnvironment();
    const due: (() => void)[] = [];
    const environment: Environment = {
      ...node,
      setTimer(milliseconds, callback) {
        if (milliseconds !== 60_000) return node.setTimer(milliseconds, callback);
        due.push(callback);
        return { cancel: () => void due.splice(due.indexOf(callback), 1) };
      },
    };
    return { environment, due };
  }

  async function refuse(listener: RawListener): Promise<void> {
    const peer = await listener.accept();
    peer.write(GREETING_3_1);
    await peer.read(64);
    peer.command("ERROR", bytes("08 'not here'"));
    await peer.ended;
  }

  it("a publisher that refuses, refuses again, and then does not: a late address; and lost to a refusal: a gap", async () => {
    const { environment, due } = minutes();
    const listener = await raw.listen();
    const controller = world.controller({ context: new Context(environment), startTimeout: 300 });
    const started = controller.start([listener.address]);
    await refuse(listener);
    await started;
    await controller.heard("lost");
    expect(controller.of("lost")[0]).toMatchObject({ reason: "refused", retryIn: 60_000 });
    expect(controller.errors).toMatchObject([{ name: "RefusedError", reason: "not here" }]);

    expect(due).toHaveLength(1);
    await sleep(500);
    expect(listener.accepted).toBe(1);
    due.shift()!();
    await refuse(listener);
    await controller.heard("lost", 2);
    expect(controller.syncs).toBe(0);

    due.shift()!();
    const publisher = await OldPublisher.accept(listener);
    await controller.isMended(1);
    expect(controller.reasons).toEqual([["address"]]);
    publisher.publish(...world.row("heard"));
    await controller.has("heard");

    publisher.peer.reset();
    await refuse(listener);
    await controller.heard("lost", 4);
    world.change("missed");
    due.shift()!();
    const again = await OldPublisher.accept(listener);
    await controller.isMended(2);
    again.publish(...world.row("after"));
    await controller.has("after");
    expect(due).toEqual([]);
  }, 40_000);

  it("closed while it waits: nothing is left behind", async () => {
    const { environment, due } = minutes();
    const listener = await raw.listen();
    const controller = world.controller({ context: new Context(environment), startTimeout: 100 });
    const started = controller.start([listener.address]);
    await refuse(listener);
    await started;
    await controller.heard("lost");
    expect(due).toHaveLength(1);
    await controller.subscriber.close();
    expect(due).toEqual([]);
  });
});
