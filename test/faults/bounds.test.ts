import { describe, expect, it } from "vitest";
import { memoryInUse } from "../support/memory.ts";
import { eventsOf, hex, trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const MIB = 2 ** 20;

function times(count: number, bytes: Uint8Array): Buffer {
  const all = Buffer.alloc(count * bytes.length);
  for (let i = 0; i < count; i += 1) all.set(bytes, i * bytes.length);
  return all;
}

describe("FR-7, E17: maxMessageParts, 2^20 by default", () => {
  async function withPeer(options: object = {}) {
    const world = new World();
    const pull = world.pull(options);
    const events = eventsOf(pull);
    await world.bind(pull);
    const peer = (await world.dialRaw("sim://a")).greet("PUSH");
    await world.settle();
    events.length = 0;
    peer.take();
    return { world, pull, events, peer };
  }

  it("a message of 2^20 empty parts comes through", async () => {
    const { world, pull, events, peer } = await withPeer();
    peer.write(times(2 ** 20 - 1, hex("01 00")), hex("00 00"));
    const parts = await world.run(pull.receive());
    expect(parts).toHaveLength(2 ** 20);
    expect(events).toEqual([]);
  });

  it("parts of one byte without end: the connection is closed without ERROR, and has taken less than 300 MiB", async () => {
    const { world, pull, events, peer } = await withPeer();
    const before = await memoryInUse();
    const chunk = times(2 ** 15, hex("01 01 61"));
    let most = 0;
    let sent = 0;
    for (; peer.ends.length === 0 && sent < 4 * 2 ** 20; sent += 2 ** 15) {
      if (sent === 2 ** 20 - 2 ** 15) most = (await memoryInUse(before + 200 * MIB)) - before;
      peer.write(chunk);
      await world.settle();
    }
    expect(sent).toBe(2 ** 20);
    expect(most).toBeLessThan(300 * MIB);
    expect(events).toMatchObject([
      { type: "disconnect", error: { code: "ERR_ZMTP_MESSAGE_TOO_LARGE", rule: "maxMessageParts" } },
    ]);
    expect(peer.take()).toHaveLength(0);
    expect(pull.stats()).toMatchObject({ received: 0, peers: [] });
    expect(await memoryInUse(before + MIB)).toBeLessThan(before + 2 * MIB);
  });

  it("3 parts are 3; a fourth is refused when the third says that there is more", async () => {
    const { world, pull, events, peer } = await withPeer({ maxMessageParts: 3 });
    peer.write(hex("01 00 01 00 00 00"), hex("01 00 01 00"));
    await world.settle();
    expect(pull.stats().received).toBe(1);
    expect(events).toEqual([]);
    peer.write(hex("01 00"));
    await world.settle();
    expect(events).toMatchObject([{ error: { rule: "maxMessageParts" } }]);
  });
});
