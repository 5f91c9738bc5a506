import { describe, expect, it } from "vitest";
import type { DriverEvents } from "../../../src/drivers/driver/driver-events.ts";
import { EventStream } from "../../../src/drivers/driver/event-stream.ts";
import { frames } from "../../../src/drivers/event/codec.ts";
import { DbUpdate } from "../../../src/drivers/event/db-update.ts";
import { SyncSchedule } from "../../../src/drivers/sync/sync.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { Emitter } from "../../../src/sockets/index.ts";

const MESSAGE = frames(new DbUpdate({ table: "t", key: "k", action: "log" }), null);
const SOURCE = { address: "tcp://127.0.0.1:1", received: () => 0 };

/** A stream whose callback takes so many ms of a clock that nothing else moves. */
function streamOf(milliseconds: number, onEvent: () => void) {
  const node = nodeEnvironment();
  let now = 0;
  let turns = 0;
  const environment = {
    ...node,
    now: () => now,
    nextTurn(callback: () => void) {
      turns += 1;
      node.nextTurn(callback);
    },
  };
  const stream = new EventStream({
    environment,
    events: new Emitter<DriverEvents>(environment),
    onError: (error) => {
      throw error;
    },
    schedule: new SyncSchedule(),
    wants: () => true,
    sequenceNumbers: false,
  });
  stream.listen(() => {
    now += milliseconds;
    onEvent();
  });
  stream.addSource(SOURCE);
  const pause = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { stream, turns: () => turns, pause };
}

describe("EventStream: events in batches", () => {
  it("leaves the event loop a turn every two milliseconds, so that timers and other sockets live", async () => {
    let delivered = 0;
    const { stream, turns } = streamOf(1, () => (delivered += 1));
    await stream.deliver(SOURCE, Array(100).fill(MESSAGE));
    expect([delivered, turns()]).toEqual([100, 49]);
  });

  it("counts the time of callbacks in batches that follow each other, and not the time between", async () => {
    const { stream, turns, pause } = streamOf(1, () => {});
    for (let i = 0; i < 2; i += 1) {
      await stream.deliver(SOURCE, [MESSAGE]);
      pause(1000);
    }
    expect(turns()).toBe(0);
    await stream.deliver(SOURCE, [MESSAGE]);
    expect(turns()).toBe(1);
  });

  it("is delivered in one go when that takes no time", async () => {
    let delivered = 0;
    const { stream, turns } = streamOf(0, () => (delivered += 1));
    await stream.deliver(SOURCE, Array(1280).fill(MESSAGE));
    expect([delivered, turns()]).toEqual([1280, 0]);
  });

  it("ends when the stream is closed, or its source removed, in a turn between", async () => {
    for (const end of ["close", "removeSource"] as const) {
      let delivered = 0;
      const { stream } = streamOf(1, () => (delivered += 1));
      const all = stream.deliver(SOURCE, Array(1280).fill(MESSAGE));
      // After the promise jobs, where the first turn is waited for.
      await new Promise((resolve) => process.nextTick(resolve));
      const before = delivered;
      if (end === "close") stream.close();
      else stream.removeSource(SOURCE);
      await all;
      stream.close();
      expect(before).toBe(2);
      expect(delivered).toBe(before);
    }
  });
});
