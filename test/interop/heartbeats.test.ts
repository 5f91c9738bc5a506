import { expect, it } from "vitest";
import { useChildren } from "../support/children.ts";
import { useProxies } from "../support/proxy.ts";
import { sleep } from "../support/wait.ts";
import { join, sync } from "./endpoints.ts";
import { digests } from "./peers/messages.ts";
import { startZeromq } from "./peers/peer.ts";
import type { SocketKind } from "./peers/station.ts";
import { describeWithLibzmq, describeWithZeromq, type Sides } from "./with-peers.ts";

/** libzmq takes us for dead when this process stands still for so long. */
const BEAT = { heartbeatInterval: 100, heartbeatTimeout: 1000 };
const PAIRS: readonly (readonly [SocketKind, SocketKind])[] = [
  ["Push", "Pull"],
  ["Pull", "Push"],
  ["Publisher", "Subscriber"],
  ["Subscriber", "Publisher"],
];

describeWithLibzmq("RFC 37, Connection Heartbeating: an idle connection is kept", (sides) => {
  for (const beats of ["theirs", "ours", "both"] as const) {
    it(`${beats} sending PING`, async () => {
      await Promise.all(PAIRS.map(([kind, other]) => idle(sides(), kind, other, beats)));
    });
  }
});

/** Lets a pair of sockets be idle for long, then checks that their first connection still works. */
async function idle(
  { ours, theirs }: Sides,
  kind: SocketKind,
  other: SocketKind,
  beats: "theirs" | "ours" | "both",
): Promise<void> {
  const mine = await ours.open(kind, beats === "theirs" ? {} : BEAT);
  const their = await theirs.open(other, beats === "ours" ? {} : BEAT);
  await join([mine, their]);
  await sleep(2200); // many intervals, two timeouts

  const [from, to] = kind === "Push" || kind === "Publisher" ? [mine, their] : [their, mine];
  if (kind === "Publisher" || kind === "Subscriber") {
    await to.subscribe("");
    await sync(from, to);
  }
  await from.send(0, [[3]]);
  expect(await to.receive(1)).toEqual(digests(0, [[3]]));
  for (const socket of [mine, their]) {
    expect(socket.unheard.filter((event) => event === "handshake")).toEqual(["handshake"]);
    expect(socket.unheard).not.toContain("disconnect");
  }
  await Promise.all([mine.close(), their.close()]);
}

describeWithLibzmq("N-4, Connection Heartbeating: a dead connection is noticed and replaced", (sides) => {
  const startProxy = useProxies();

  for (const weBind of [true, false]) {
    it(`${weBind ? "they dial, we listen" : "we dial, they listen"}; each end notices by itself`, async () => {
      const { ours, theirs } = sides();
      const options = { ...BEAT, reconnectInterval: 20, handshakeInterval: 1000 };
      const pull = await ours.open("Pull", options);
      const push = await theirs.open("Push", options);
      const proxy = await startProxy(await (weBind ? pull : push).bind("tcp://127.0.0.1:*"));
      await (weBind ? push : pull).connect(proxy.address);
      await Promise.all([pull.event("handshake"), push.event("handshake")]);
      await push.send(0, [[3]]);
      await pull.receive(1);

      proxy.blackHole();
      await Promise.all([pull.event("disconnect"), push.event("disconnect")]);

      proxy.heal();
      await Promise.all([pull.event("handshake"), push.event("handshake")]);
      await push.send(1, [[5]]);
      expect(await pull.receive(1)).toHaveLength(1);
      await Promise.all([pull.close(), push.close()]);
    });
  }
});

describeWithZeromq("HB-4, Connection Heartbeating: the TTL of a PING", (sides) => {
  const children = useChildren();

  it("a peer that was stopped is noticed by its own TTL, we sending no PING", async () => {
    const { ours } = sides();
    const theirs = await startZeromq(children);
    const pull = await ours.open("Pull");
    const push = await theirs.open("Push", { ...BEAT, heartbeatTimeToLive: 500 });
    await join([pull, push]);
    await pull.event("handshake");
    await sleep(1000); // a PING with the TTL has come by then
    theirs.child.signal("SIGSTOP");
    await pull.event("disconnect");
    await pull.close();
  });
});
