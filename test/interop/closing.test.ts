import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { stableAddress } from "../support/ports.ts";
import { within } from "../support/wait.ts";
import { join } from "./endpoints.ts";
import { digests, type Shape } from "./peers/messages.ts";
import { useRawPeers } from "./peers/raw-peer.ts";
import { describeWithLibzmq } from "./with-peers.ts";

const SHAPES: readonly Shape[] = Array.from({ length: 5000 }, (_, i) =>
  i % 100 === 0 ? [100_000] : [200, 3],
);

describeWithLibzmq("CL-1, E31: what was sent before close arrives", (sides) => {
  for (const weBind of [true, false]) {
    it(`${weBind ? "our PUSH binds" : "our PUSH connects"}; their PULL reads late`, async () => {
      const { ours, theirs } = sides();
      const push = await ours.open("Push", { linger: -1, sendHighWaterMark: 0 });
      const pull = await theirs.open("Pull", { receiveHighWaterMark: 10 });
      await join(weBind ? [push, pull] : [pull, push]);
      await push.event("handshake");
      await pull.pause();
      await push.send(0, SHAPES);
      const closed = push.close();
      const received = pull.receive(SHAPES.length);
      await pull.resume();
      expect(await received).toEqual(digests(0, SHAPES));
      await closed;
      await pull.close();
    });
  }
});

describe("CL-5: an endpoint that was given up lingers as long as the socket says", () => {
  const raw = useRawPeers();

  it("close waits for it, and what was queued arrives", async () => {
    const address = await stableAddress();
    const push = new zmtp.Push({ linger: -1, reconnectInterval: 20 });
    push.connect(address);
    await push.send("queued");
    push.disconnect(address);
    let isClosed = false;
    const closed = push.close().then(() => {
      isClosed = true;
    });
    const listener = await raw.listen(Number(address.split(":").at(-1)));
    const peer = await listener.accept();
    expect(isClosed).toBe(false);
    await peer.shake("PULL");
    expect((await peer.frame()).body.toString()).toBe("queued");
    await within(10_000, "the end of close", closed);
  });
});
