import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { localPeer, type Peer, type ProcessPeer, startZeromq } from "../interop/peers/peer.ts";
import type { Library, SocketKind } from "../interop/peers/station.ts";
import { useChildren } from "../support/children.ts";
import { stableAddress } from "../support/ports.ts";
import { FaultProxy, type ProxyPlan } from "../support/proxy.ts";
import { until } from "../support/wait.ts";

/** Sessions that run side by side. */
const LANES = 8;
/** ms between two messages of a session. */
const PACE = 4;
/** At the base of a handshake that failed once, so that a session does not wait for its back-off. */
const OPTIONS = { reconnectInterval: 2 };

type Direction = keyof ProxyPlan;

/** A sender and a receiver, of which one dials the other through a proxy, and numbered messages between them. */
class Session {
  readonly #dialler: Peer;
  readonly #listener: Peer;
  readonly #dials: SocketKind;

  constructor(dialler: Peer, listener: Peer, dials: SocketKind) {
    this.#dialler = dialler;
    this.#listener = listener;
    this.#dials = dials;
  }

  /**
   * Cuts the first connection after so many bytes, and returns when messages have come that were sent after that.
   * @returns the bytes that the last connection carried, each way.
   */
  async run(epoch: string, plan: ProxyPlan): Promise<{ toServer: number; toClient: number }> {
    const listens = {
      Push: "Pull",
      Pull: "Push",
      Publisher: "Subscriber",
      Subscriber: "Publisher",
      XPublisher: "XSubscriber",
      XSubscriber: "XPublisher",
    } as const;
    const listener = await this.#listener.open(listens[this.#dials], OPTIONS);
    const dialler = await this.#dialler.open(this.#dials, OPTIONS);
    const dialledSends = this.#dials === "Push" || this.#dials === "Publisher";
    const [sender, receiver] = dialledSends ? [dialler, listener] : [listener, dialler];
    if (receiver === dialler && this.#dials === "Subscriber") await receiver.subscribe(epoch);

    const proxy = await FaultProxy.start(await listener.bind(await stableAddress()));
    proxy.plan(plan);
    await dialler.connect(proxy.address);
    await sender.flood(epoch, PACE);
    const isCut = plan.toServer !== undefined || plan.toClient !== undefined;
    await until("the dialler has come back", () => proxy.accepted >= (isCut ? 2 : 1));
    const before = (await receiver.tally()).epochs[epoch]?.last ?? -1;
    await until("messages flow again", async () => {
      return ((await receiver.tally()).epochs[epoch]?.last ?? -1) > before;
    });

    const { epochs, broken } = await receiver.tally();
    expect(broken).toEqual([]);
    expect(Object.keys(epochs)).toEqual([epoch]);
    expect(epochs[epoch]).toMatchObject({ repeated: 0 });
    // A receiver that listens has two peers here, the connection cut and the new one, and is fair to both.
    if (receiver === dialler) expect(epochs[epoch]).toMatchObject({ disorder: 0 });
    if (isCut) expect(proxy.accepted).toBe(2);
    const [connection] = proxy.connections;
    const carried = { toServer: connection!.toServer, toClient: connection!.toClient };
    void sender.stop().catch(() => {}); // a PUSH may be waiting for room
    await Promise.all([sender.close(), receiver.close()]);
    await proxy.close();
    return carried;
  }
}

describe("a connection that is cut at any byte is replaced, and only whole messages come", () => {
  const children = useChildren("file");
  const ours = localPeer("ours", zmtp as unknown as Library);
  let zeromq: ProcessPeer;
  beforeAll(async () => {
    zeromq = await startZeromq(children);
  });
  afterAll(() => ours.closeAll());

  const PAIRS = [
    ["we dial, we listen", () => [ours, ours] as const],
    ["we dial, npm zeromq listens", () => [ours, zeromq] as const],
    ["npm zeromq dials, we listen", () => [zeromq, ours] as const],
  ] as const;

  for (const [who, pair] of PAIRS) {
    for (const dials of ["Push", "Pull", "Subscriber"] as const) {
      it.each(["toServer", "toClient"] as const)(
        `${who}; a ${dials} dials; bytes cut %s`,
        async (direction) => {
          const [dialler, listener] = pair();
          const session = new Session(dialler, listener, dials);
          const length = (await session.run("uncut", {}))[direction];
          const lane = async (first: number): Promise<void> => {
            for (let cutAfter = first; cutAfter <= length; cutAfter += LANES) {
              await session.run(`${direction} ${cutAfter}`, { [direction as Direction]: { cutAfter } });
            }
          };
          await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
        },
        60_000,
      );
    }
  }
});
