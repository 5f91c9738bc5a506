import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const reason = new Error("enough");

describe("one AbortSignal for many calls that wait", () => {
  it("has one listener, and none when the last call is over", async () => {
    const world = new World();
    const { signal } = new AbortController();
    const [pull, push, pub] = [world.pull(), world.push(), world.publisher()];
    await world.bind(pull);
    const received = Array.from({ length: 50 }, () => pull.receive({ signal }));
    const sent = Array.from({ length: 50 }, (_, i) => push.send(String(i), { signal }));
    const subscribed = Array.from({ length: 50 }, () => pub.subscribed("x", { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    push.connect("sim://a");
    await world.settle();
    await Promise.all(sent);
    const texts = (await Promise.all(received)).map(([part]) => String(part));
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    const ended = Promise.allSettled(subscribed);
    await world.run(pub.close());
    await ended;
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(world.holds).toBe(0);
  });

  it("ends them all, in whichever socket, and no other", async () => {
    const world = new World();
    const [one, other] = [new AbortController(), new AbortController()];
    const [pull, push] = [world.pull(), world.push()];
    const aborted = [
      ...Array.from({ length: 20 }, () => pull.receive({ signal: one.signal })),
      ...Array.from({ length: 20 }, () => push.send("never", { signal: one.signal })),
    ];
    const kept = pull.receive({ signal: other.signal });
    one.abort(reason);
    for (const result of await Promise.allSettled(aborted))
      expect(result).toEqual({ status: "rejected", reason });
    expect(getEventListeners(one.signal, "abort")).toEqual([]);
    expect(getEventListeners(other.signal, "abort")).toHaveLength(1);
    expect(world.holds).toBe(1);
    await world.bind(pull);
    push.connect("sim://a");
    push.trySend("kept");
    await world.settle();
    expect(String((await kept)[0])).toBe("kept");
    expect(getEventListeners(other.signal, "abort")).toEqual([]);
  });
});
