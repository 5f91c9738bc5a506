import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { useChildren } from "../support/children.ts";
import { stableAddress } from "../support/ports.ts";
import { join, sync } from "./endpoints.ts";
import { localPeer, type RemoteSocket, startZeromq } from "./peers/peer.ts";
import type { Library } from "./peers/station.ts";
import { describeWithLibzmq, describeWithZeromq } from "./with-peers.ts";

const SYNC = "~sync";

/** Returns when everything that the receiver has subscribed to or given up so far is known to the sender. */
async function settle(sender: RemoteSocket, receiver: RemoteSocket): Promise<void> {
  const topic = `${SYNC}${Math.random()}`;
  await receiver.subscribe(topic);
  await sync(sender, receiver, topic);
}

describeWithLibzmq("RFC 29: filtering by prefix", (sides) => {
  for (const oursPublishes of [true, false]) {
    it(`${oursPublishes ? "our" : "their"} PUB: PS-1, PS-2, prefixes are bytes and are counted`, async () => {
      const { ours, theirs } = sides();
      const pub = await (oursPublishes ? ours : theirs).open("Publisher");
      const sub = await (oursPublishes ? theirs : ours).open("Subscriber");
      await join([pub, sub]);
      await sub.subscribe("a", "a", "bc", "\x00\xff");
      await settle(pub, sub);

      const published = [
        ["a", "1"],
        ["abc", "", "2"],
        ["b", "not for you"],
        ["bc"],
        ["A", "nor this"],
        ["\x00", "nor this"],
        ["\x00\xff\x01", "3"],
        ["", "a"],
      ];
      await pub.sendText(...published);
      await pub.sendText(["a", "last"]);
      expect(await sub.receiveText(5)).toEqual(["a|1", "abc||2", "bc", "\x00\xff\x01|3", "a|last"]);

      await sub.unsubscribe("a", "bc", "never subscribed");
      await settle(pub, sub);
      await pub.sendText(["bc", "gone"], ["a", "still held once"]);
      expect(await sub.receiveText(1)).toEqual(["a|still held once"]);

      await sub.unsubscribe("a");
      await settle(pub, sub);
      await pub.sendText(["a", "gone too"], ["\x00\xff", "end"]);
      expect(await sub.receiveText(1)).toEqual(["\x00\xff|end"]);
      await Promise.all([pub.close(), sub.close()]);
    });
  }
});

// python3-zmq brings libzmq 4.3.4, whose SUBSCRIBE frames are broken for topics of 246 to 255 bytes (SU-5).
describeWithZeromq("SU-1, FR-3: topics of 240 to 260 bytes", (sides) => {
  const lengths = Array.from({ length: 21 }, (_, i) => 240 + i);
  const topics = lengths.map((length, i) => String.fromCharCode(65 + i).padEnd(length, "."));

  for (const oursPublishes of [true, false]) {
    it(`${oursPublishes ? "to our" : "to their"} PUB: each SUBSCRIBE and each CANCEL is understood`, async () => {
      const { ours, theirs } = sides();
      const pub = await (oursPublishes ? ours : theirs).open("Publisher");
      const sub = await (oursPublishes ? theirs : ours).open("Subscriber");
      await join([pub, sub]);
      await sub.subscribe(...topics);
      await settle(pub, sub);
      await pub.sendText(...topics.map((topic) => [`${topic}!`]));
      expect(await sub.receiveText(topics.length)).toEqual(topics.map((topic) => `${topic}!`));

      const even = topics.filter((_, i) => i % 2 === 0);
      await sub.unsubscribe(...topics.filter((_, i) => i % 2 === 1));
      await settle(pub, sub);
      await pub.sendText(...topics.map((topic) => [topic]));
      expect(await sub.receiveText(even.length)).toEqual(even);
      await Promise.all([pub.close(), sub.close()]);
    });
  }
});

describe("PS-15, N-3, N-18: all subscriptions are sent again after a reconnect", () => {
  const children = useChildren();

  it("100 000 topics to a libzmq PUB that was killed and restarted", { timeout: 60_000 }, async () => {
    const topic = (i: number): string => `topic-${String(i).padStart(6, "0")}.`;
    const count = 100_000;
    const ours = localPeer("ours", zmtp as unknown as Library);
    const sub = await ours.open("Subscriber", { reconnectInterval: 20 });
    for (let from = 0; from < count; from += 1000) {
      await sub.subscribe(...Array.from({ length: 1000 }, (_, i) => topic(from + i)));
    }
    const some = [0, 1, 999, 1000, 1001, 31_337, 65_535, 65_536, 99_998, 99_999].map(topic);

    let theirs = await startZeromq(children);
    let pub = await theirs.open("Publisher");
    const address = await join([pub, sub], await stableAddress());
    for (const life of ["first", "second"]) {
      if (life === "second") {
        await theirs.child.kill();
        theirs = await startZeromq(children);
        pub = await theirs.open("Publisher");
        await pub.bind(address);
      }
      // They come in no promised order, so each one is waited for.
      for (const each of some) await sync(pub, sub, each);
      await pub.sendText(...some.flatMap((each) => [[each, life], [`no ${each}`]]), [
        topic(count),
        "unknown",
      ]);
      await pub.sendText([topic(5), "end"]);
      expect(await sub.receiveText(some.length + 1)).toEqual([
        ...some.map((each) => `${each}|${life}`),
        `${topic(5)}|end`,
      ]);
    }
    await ours.closeAll();
  });
});
