import { afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { join, sync } from "../interop/endpoints.ts";
import { digests, type Shape } from "../interop/peers/messages.ts";
import { localPeer, type RemoteSocket, startZeromq, startZmtp } from "../interop/peers/peer.ts";
import type { Library } from "../interop/peers/station.ts";
import { useChildren } from "../support/children.ts";
import { sleep, until } from "../support/wait.ts";

const INTERVAL = 100;
const TIMEOUT = 400;
const HEARTBEAT = { heartbeatInterval: INTERVAL, heartbeatTimeout: TIMEOUT };
const RECONNECT = { reconnectInterval: 20 };
/** As long as it takes to be given up, and more. */
const LONG = 3 * (INTERVAL + TIMEOUT);

async function had(receiver: RemoteSocket): Promise<number> {
  const { epochs, broken } = await receiver.tally();
  expect(broken).toEqual([]);
  return epochs["1"]?.count ?? 0;
}

async function flows(receiver: RemoteSocket, count = 200): Promise<void> {
  const before = await had(receiver);
  await until(`${receiver.name} receives`, async () => (await had(receiver)) >= before + count, 20_000);
}

describe.each([
  ["this library", startZmtp],
  ["npm zeromq", startZeromq],
])("SIGSTOP and SIGCONT; the end that is stopped is %s", (_, start) => {
  const children = useChildren();
  const ours = localPeer("ours", zmtp as unknown as Library);
  afterEach(() => ours.closeAll());

  it("need 4, a PULL that is stopped: the heartbeat notices; afterwards messages flow, none twice", async () => {
    const peer = await start(children);
    const push = await ours.open("Push", { ...RECONNECT, ...HEARTBEAT });
    const pull = await peer.open("Pull", RECONNECT);
    await join([pull, push]);
    await push.flood("1", 2);
    await flows(pull, 50);
    peer.child.signal("SIGSTOP");
    await until("the heartbeat notices", () => push.reasons.includes("heartbeat"), 15_000);
    peer.child.signal("SIGCONT");
    await flows(pull, 50);
    // What the stopped process had not read of the first connection comes beside what the second one brings.
    expect((await pull.tally()).epochs["1"]).toMatchObject({ first: 0, repeated: 0 });
  });

  it("need 4, a PUB that is stopped: the heartbeat notices; afterwards the subscription is in force", async () => {
    const peer = await start(children);
    const sub = await ours.open("Subscriber", { ...RECONNECT, ...HEARTBEAT });
    const pub = await peer.open("Publisher");
    await sub.subscribe("1");
    await join([pub, sub]);
    await pub.flood("1", 2);
    await flows(sub, 50);
    peer.child.signal("SIGSTOP");
    await until("the heartbeat notices", () => sub.reasons.includes("heartbeat"), 15_000);
    peer.child.signal("SIGCONT");
    await flows(sub, 50);
    expect((await sub.tally()).epochs["1"]).toMatchObject({ repeated: 0 });
  });

  it("PP-4, without heartbeats a PULL that was stopped loses nothing", async () => {
    const peer = await start(children);
    const push = await ours.open("Push");
    const pull = await peer.open("Pull");
    await join([pull, push]);
    await push.flood("1");
    await flows(pull);
    peer.child.signal("SIGSTOP");
    await sleep(500); // until the kernel's buffers and the queue are full
    peer.child.signal("SIGCONT");
    await flows(pull);
    const sent = await push.stop();
    await until("all have come", async () => (await had(pull)) === sent, 20_000);
    expect((await pull.tally()).epochs["1"]).toMatchObject({ first: 0, gaps: 0, disorder: 0, repeated: 0 });
    expect(push.reasons).toEqual([]);
  });
});

describe("SIGSTOP and SIGCONT of our own process, heartbeats on", () => {
  const children = useChildren();
  const ours = localPeer("ours", zmtp as unknown as Library);
  afterEach(() => ours.closeAll());

  it.each([
    ["npm zeromq", startZeromq],
    ["this library", startZmtp],
  ])("late timers take no living peer for dead; the peer, %s, has none", async (_, start) => {
    const peer = await startZmtp(children);
    const other = await start(children);
    const pull = await other.open("Pull");
    const push = await peer.open("Push", { ...RECONNECT, ...HEARTBEAT });
    await join([pull, push]);
    await push.send(0, [[3]]);
    await pull.receive(1);
    for (let round = 0; round < 2; round += 1) {
      // Somewhere between a PING and its answer, or not: whatever was due meanwhile has its bytes waiting in the kernel.
      await sleep(INTERVAL / 3);
      peer.child.signal("SIGSTOP");
      await sleep(LONG / 3);
      peer.child.signal("SIGCONT");
      await push.send(round, [[3]]);
      await pull.receive(1);
    }
    expect(push.reasons).toEqual([]);
    expect(pull.unheard).not.toContain("disconnect");
  });
});

/** 800 messages fit into any queue; with 4 KB each, a few rounds fill what the kernel holds for the one that is stopped. */
const ROUND: readonly Shape[] = Array.from({ length: 800 }, () => [10, 4000]);

describe("E24 and need 14: one stopped subscriber beside nine live ones", () => {
  const children = useChildren();
  const ours = localPeer("ours", zmtp as unknown as Library);
  afterEach(() => ours.closeAll());

  it("the nine lose nothing; the tenth is served again when it runs again", async () => {
    const pub = await ours.open("Publisher");
    const address = await pub.bind("tcp://127.0.0.1:*");
    const [live, stopped] = await Promise.all([startZmtp(children), startZmtp(children)]);
    const subscriber = async (peer: typeof live): Promise<RemoteSocket> => {
      const socket = await peer.open("Subscriber", RECONNECT);
      await socket.subscribe("");
      await socket.connect(address);
      return socket;
    };
    const nine: RemoteSocket[] = [];
    for (let n = 0; n < 9; n += 1) nine.push(await subscriber(live));
    const tenth = await subscriber(stopped);
    for (const one of [...nine, tenth]) await sync(pub, one);

    stopped.child.signal("SIGSTOP");
    for (let round = 0; !pub.unheard.includes("drop"); round += 1) {
      expect(round).toBeLessThan(20);
      await pub.send(round, ROUND);
      const expected = digests(round, ROUND);
      for (const one of nine) expect(await one.receive(ROUND.length)).toEqual(expected);
    }
    stopped.child.signal("SIGCONT");
    await sync(pub, tenth);
    for (const one of [...nine, tenth]) expect(one.unheard).not.toContain("disconnect");
  });
});
