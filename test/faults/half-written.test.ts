import { afterEach, describe, expect, it } from "vitest";
import { Push, type PushOptions } from "../../src/index.ts";
import { frameAt } from "../interop/peers/bytes.ts";
import { type RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { within } from "../support/wait.ts";

/** More than the system takes from a writer whose peer does not read; the second where a system takes a lot. */
const LARGE = Buffer.alloc(4 << 20, 7);
const VERY_LARGE = Buffer.alloc(32 << 20, 7);

describe("E18: what is given up while a frame is half written", () => {
  const raw = useRawPeers();
  let push: Push;
  afterEach(() => push.close());

  /** A PUSH that has begun to write a large message to a peer that does not read. */
  async function halfWritten(body: Buffer, options: PushOptions): Promise<RawPeer> {
    const listener = await raw.listen();
    push = new Push({ linger: 0, ...options });
    const shaken = new Promise<unknown>((resolve) => push.events.on("handshake", resolve));
    push.connect(listener.address);
    const peer = await listener.accept();
    await peer.shake("PULL");
    peer.pause();
    await shaken;
    await push.send([body, "second"]);
    // What is sent leaves at the end of the turn.
    for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    return peer;
  }

  it("a send that is aborted: the peer hears whole frames, and nothing of it", async () => {
    const peer = await halfWritten(LARGE, { sendHighWaterMark: 1 });
    while (push.trySend("filler"));
    const abort = new AbortController();
    const aborted = push.send(["aborted", LARGE], { signal: abort.signal });
    const next = push.send("next");
    abort.abort();
    await expect(aborted).rejects.toBe(abort.signal.reason);
    peer.resume();
    await within(10_000, "room", next);
    expect((await peer.frame()).body.equals(LARGE)).toBe(true);
    const seen = [];
    while (seen.at(-1) !== "next") seen.push((await peer.frame()).body.toString());
    expect(seen[0]).toBe("second");
    expect(seen.slice(1, -1)).toEqual(seen.slice(1, -1).map(() => "filler"));
    expect(peer.unread).toHaveLength(0);
  });

  it("a socket that is closed: the peer hears a beginning of it, and the end", async () => {
    const peer = await halfWritten(VERY_LARGE, {});
    await push.send("behind");
    await push.close();
    peer.resume();
    await within(10_000, "the end", peer.ended);
    const seen = peer.unread;
    expect(frameAt(seen)).toBeNull();
    expect(seen.subarray(0, 9)).toEqual(Buffer.from([3, 0, 0, 0, 0, 2, 0, 0, 0]));
    expect(seen.subarray(9).equals(VERY_LARGE.subarray(0, seen.length - 9))).toBe(true);
  });
});
