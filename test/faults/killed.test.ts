import { afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { join } from "../interop/endpoints.ts";
import { digests, type EpochTally, type Tally } from "../interop/peers/messages.ts";
import { localPeer, type RemoteSocket, startZeromq, startZmtp } from "../interop/peers/peer.ts";
import type { Library, SocketKind } from "../interop/peers/station.ts";
import { useChildren } from "../support/children.ts";
import { stableAddress } from "../support/ports.ts";
import { until } from "../support/wait.ts";

const MANY = 3000;
const RECONNECT = { reconnectInterval: 20 };

/** Waits until the receiver has had `MANY` messages of the epoch beyond those of `before`. */
async function flows(receiver: RemoteSocket, epoch: string, before = 0): Promise<EpochTally> {
  const tally = (): Promise<Tally> => receiver.tally();
  await until(
    `${receiver.name} has received ${MANY} messages of ${epoch}`,
    async () => ((await tally()).epochs[epoch]?.count ?? 0) >= before + MANY,
    20_000,
  );
  const { epochs, broken } = await tally();
  expect(broken).toEqual([]);
  expect(epochs[epoch]).toMatchObject({ disorder: 0, repeated: 0 });
  return epochs[epoch]!;
}

describe.each([
  ["this library", startZmtp],
  ["npm zeromq", startZeromq],
])("SIGKILL and restart under load; the end that is killed is %s", (_, start) => {
  const children = useChildren();
  const ours = localPeer("ours", zmtp as unknown as Library);
  afterEach(() => ours.closeAll());

  /** A new process with one socket, on the given side of `survivor`. @returns also the endpoint bound. */
  async function life(kind: SocketKind, survivor: RemoteSocket, binds: boolean, address?: string) {
    const peer = await start(children);
    const socket = await peer.open(kind, RECONNECT);
    if (kind === "Subscriber") await socket.subscribe("");
    if (!address) {
      const bound = await join(binds ? [socket, survivor] : [survivor, socket], await stableAddress());
      return { peer, socket, address: bound };
    }
    if (binds) await socket.bind(address);
    else await socket.connect(address);
    return { peer, socket, address };
  }

  for (const killedBinds of [true, false]) {
    const side = killedBinds ? "that binds" : "that connects";

    it(`a PUSH ${side}: each life's messages come from the first on, whole, in order, without a gap`, async () => {
      const pull = await ours.open("Pull", RECONNECT);
      const first = await life("Push", pull, killedBinds);
      await first.socket.flood("1");
      await flows(pull, "1");
      await first.peer.child.kill();

      const second = await life("Push", pull, killedBinds, first.address);
      await second.socket.flood("2");
      expect(await flows(pull, "2")).toMatchObject({ first: 0, gaps: 0 });
      expect((await pull.tally()).epochs["1"]).toMatchObject({ first: 0, gaps: 0, disorder: 0, repeated: 0 });
    });

    it(`a PULL ${side}: each life's messages are whole and without a gap, none comes twice`, async () => {
      const push = await ours.open("Push", RECONNECT);
      const first = await life("Pull", push, killedBinds);
      await push.flood("1");
      const before = await flows(first.socket, "1");
      await first.peer.child.kill();

      const second = await life("Pull", push, killedBinds, first.address);
      const after = await flows(second.socket, "1");
      expect([before.gaps, after.gaps]).toEqual([0, 0]);
      expect(after.first).toBeGreaterThan(before.last);

      const sent = await push.stop();
      await until("the last message has come", async () => {
        return (await second.socket.tally()).epochs["1"]?.last === sent - 1;
      });
      expect((await second.socket.tally()).epochs["1"]).toMatchObject({ gaps: 0, disorder: 0, repeated: 0 });
    });

    it(`a PULL ${side}: what is sent while it is away waits for the next one`, async () => {
      const push = await ours.open("Push", RECONNECT);
      const first = await life("Pull", push, killedBinds);
      await push.event("handshake");
      await first.peer.child.kill();
      await push.event("disconnect");

      const shapes = Array.from({ length: 500 }, (_, i) => [i, 3]);
      const sent = push.send(0, shapes);
      const second = await life("Pull", push, killedBinds, first.address);
      expect(await second.socket.receive(500)).toEqual(digests(0, shapes));
      await sent;
    });

    it(`a PUB ${side}: the subscriptions come back`, async () => {
      const sub = await ours.open("Subscriber", RECONNECT);
      await sub.subscribe("1", "2");
      const first = await life("Publisher", sub, killedBinds);
      await first.socket.flood("1");
      await flows(sub, "1");
      await first.peer.child.kill();

      const second = await life("Publisher", sub, killedBinds, first.address);
      await second.socket.flood("2");
      await flows(sub, "2");
    });

    it(`a SUB ${side}: the next one is served, another one is not disturbed`, async () => {
      const pub = await ours.open("Publisher", RECONNECT);
      const other = await (await start(children)).open("Subscriber");
      await other.subscribe("1");
      await join([pub, other]);
      const first = await life("Subscriber", pub, killedBinds);
      await pub.flood("1");
      await flows(first.socket, "1");
      const before = await flows(other, "1");
      await first.peer.child.kill();

      const second = await life("Subscriber", pub, killedBinds, first.address);
      await flows(second.socket, "1");
      await flows(other, "1", before.count);
      expect(other.unheard).not.toContain("disconnect");
    });
  }

  it("a SUB that is stopped costs only itself, and reads on when it runs again", async () => {
    const pub = await ours.open("Publisher");
    const other = await (await start(children)).open("Subscriber");
    await other.subscribe("1");
    const address = await join([pub, other]);
    const stopped = await life("Subscriber", pub, false, address);
    await pub.flood("1");
    await flows(stopped.socket, "1");

    stopped.peer.child.signal("SIGSTOP");
    let count = 0;
    for (let round = 0; round < 5; round += 1) ({ count } = await flows(other, "1", count));
    stopped.peer.child.signal("SIGCONT");
    const { count: had } = (await stopped.socket.tally()).epochs["1"]!;
    await flows(stopped.socket, "1", had);
    expect(stopped.socket.unheard).not.toContain("disconnect");
  });
});
