import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { type RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { until } from "../support/wait.ts";

const COUNT = 20_000;
const BODY = Buffer.alloc(1000, "x");

async function fill(push: zmtp.Push): Promise<void> {
  for (let i = 0; i < COUNT; i += 1) await push.send([String(i), BODY]);
}

/** The number in the first part of the next message, which has to be whole. */
async function next(peer: RawPeer): Promise<number> {
  const [number, body] = [await peer.frame(), await peer.frame()];
  expect([number.flags, body.flags]).toEqual([1, 2]);
  expect(body.body.equals(BODY)).toBe(true);
  return Number(number.body.toString());
}

/** A PULL that shakes hands and then reads no more. */
async function stall(peer: RawPeer): Promise<void> {
  await peer.shake("PULL");
  peer.pause();
}

describe("PP-4: whose queue it is", () => {
  const raw = useRawPeers();

  it("what waits for an endpoint that we dial survives the connection; what was handed over is not sent again", async () => {
    const listener = await raw.listen();
    const push = new zmtp.Push({ sendHighWaterMark: 0, reconnectInterval: 20, linger: 0 });
    let handedOver = -1;
    push.events.on("disconnect", () => {
      handedOver = push.stats().sent;
    });
    push.connect(listener.address);
    const first = await listener.accept();
    await stall(first);
    await fill(push);
    expect(push.stats().queued).toBeGreaterThan(COUNT / 4);
    first.reset();

    const second = await listener.accept();
    await second.shake("PULL");
    expect(handedOver).toBeGreaterThan(0);
    for (let i = handedOver; i < COUNT; i += 1) expect(await next(second)).toBe(i);
    expect(push.stats()).toMatchObject({ sent: COUNT, dropped: 0, queued: 0 });
    await push.close();
  });

  it("what waits for a peer that dialled us goes with it, and is counted", async () => {
    const push = new zmtp.Push({ sendHighWaterMark: 0, linger: 0 });
    await push.bind("tcp://127.0.0.1:*");
    const first = await raw.connect(push.lastEndpoint!);
    await stall(first);
    await fill(push);
    const { sent, queued } = push.stats();
    expect(queued).toBeGreaterThan(COUNT / 4);
    expect(sent + queued).toBe(COUNT);
    first.reset();
    await until("the peer is gone", () => push.stats().peers.length === 0);
    expect(push.stats()).toMatchObject({ sent, dropped: queued, queued: 0 });

    const second = await raw.connect(push.lastEndpoint!);
    await second.shake("PULL");
    await push.send(["1", BODY]);
    expect(await next(second)).toBe(1);
    await push.close();
  });
});
