import { afterEach, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { stableAddress } from "../support/ports.ts";
import { sleep, until } from "../support/wait.ts";
import { join } from "./endpoints.ts";
import { digests, type Shape } from "./peers/messages.ts";
import { describeWithLibzmq, describeWithPyzmq } from "./with-peers.ts";

const either = [true, false] as const;
const who = (ours: boolean): string => (ours ? "ours" : "theirs");
const numbers = (count: number): string[][] => Array.from({ length: count }, (_, n) => [String(n)]);

const open: zmtp.Socket[] = [];
/** Closed after the test. */
function closing<S extends zmtp.Socket>(socket: S): S {
  open.push(socket);
  return socket;
}
afterEach(async () => {
  for (const socket of open) if (!socket.closed) socket.linger = 0;
  await Promise.all(open.splice(0).map((socket) => socket.close()));
});

describeWithLibzmq("OP-CONFLATE, PS-19 with libzmq: the last message", (sides) => {
  for (const oursSends of either) {
    it(`of a PUSH that waits for its peer; ${who(oursSends)}`, async () => {
      const { ours, theirs } = sides();
      const push = await (oursSends ? ours : theirs).open("Push", { conflate: true });
      const pull = await (oursSends ? theirs : ours).open("Pull");
      const address = await stableAddress();
      await push.connect(address);
      await push.sendText(...numbers(100));
      await pull.bind(address);
      expect(await pull.receiveText(1)).toEqual(["99"]);
      await push.sendText(["later"]);
      expect(await pull.receiveText(1)).toEqual(["later"]);
      await Promise.all([push.close(), pull.close()]);
    });
  }

  it("of what their PUSH sends to our PULL before it reads", async () => {
    const push = await sides().theirs.open("Push");
    const pull = closing(new zmtp.Pull({ conflate: true }));
    await pull.bind("tcp://127.0.0.1:*");
    await push.connect(pull.lastEndpoint!);
    await push.sendText(...numbers(100));
    await until("all have come", () => pull.stats().received === 100);
    expect((await pull.receive()).map(String)).toEqual(["99"]);
    expect(pull.stats()).toMatchObject({ received: 100, dropped: 99, queued: 0 });
    await push.close();
  });
});

describeWithLibzmq("OP-IMMEDIATE, PP-3 with libzmq: nothing waits for a peer that is not there", (sides) => {
  for (const oursSends of either) {
    it(who(oursSends), async () => {
      const { ours, theirs } = sides();
      const push = await (oursSends ? ours : theirs).open("Push", { immediate: true });
      const pull = await (oursSends ? theirs : ours).open("Pull");
      await push.connect(await stableAddress());
      await push.connect(await pull.bind("tcp://127.0.0.1:*"));
      await push.sendText(...numbers(20));
      expect(await pull.receiveText(20)).toEqual(numbers(20).flat());
      await Promise.all([push.close(), pull.close()]);
    });
  }
});

describeWithPyzmq("PS-12 with libzmq: noDrop of their XPUB waits for us, and nothing is lost", (sides) => {
  for (const [name, Receiver] of [
    ["SUB", zmtp.Subscriber],
    ["XSUB", zmtp.XSubscriber],
  ] as const) {
    it(name, async () => {
      const options = { noDrop: true, sendHighWaterMark: 10 };
      const pub = await sides().theirs.open("XPublisher", options);
      const sub = closing(new Receiver({ receiveHighWaterMark: 10 }));
      sub.connect(await pub.bind("tcp://127.0.0.1:*"));
      sub.subscribe("");
      expect(await pub.receiveText(1)).toEqual(["\x01"]);
      const shapes: Shape[] = Array.from({ length: 1500 }, () => [10, 20_000]);
      let isTaken = false;
      const sent = pub.send(0, shapes).then(() => {
        isTaken = true;
      });
      await until("it is full", () => sub.stats().queued === 10);
      expect(isTaken).toBe(false);
      let received = 0;
      for await (const parts of sub) {
        expect(parts.map((part) => part.length)).toEqual([10, 20_000]);
        if (received === 0 || received === 1499) expect(parts[0]![0]).toBe((received * 31) % 251);
        received += 1;
        if (received === shapes.length) break;
      }
      await sent;
      await pub.close();
    });
  }
});

describeWithLibzmq("PS-10, OP-INVERT_MATCHING with libzmq, at both ends", (sides) => {
  for (const oursPublishes of either) {
    for (const kind of ["Publisher", "XPublisher"] as const) {
      it(`${kind} ${who(oursPublishes)}, SUB ${who(!oursPublishes)}`, async () => {
        const { ours, theirs } = sides();
        const pub = await (oursPublishes ? ours : theirs).open(kind, { invertMatching: true });
        const sub = await (oursPublishes ? theirs : ours).open("Subscriber", { invertMatching: true });
        await sub.subscribe("a");
        await join([pub, sub]);
        if (kind === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\x01a"]);
        else {
          await pub.probe("");
          await sub.probed();
          await pub.stop();
        }
        // The SUB filters too: what comes before the subscription has is not seen either.
        await pub.sendText(["a1"], ["b1"], ["ab"], ["", "empty"], ["c"]);
        expect(await sub.receiveText(3)).toEqual(["b1", "|empty", "c"]);
        await Promise.all([pub.close(), sub.close()]);
      });
    }
  }
});

describeWithLibzmq("OP-HWM with libzmq: a mark that is raised while sends wait", (sides) => {
  it("lets them go, in order", async () => {
    const address = await stableAddress();
    const push = closing(new zmtp.Push({ sendHighWaterMark: 2 }));
    push.connect(address);
    let taken = 0;
    const sends = numbers(10).map((parts) => push.send(parts).then(() => (taken += 1)));
    await Promise.all(sends.slice(0, 2));
    expect(taken).toBe(2);
    push.sendHighWaterMark = 10;
    await Promise.all(sends);
    const pull = await sides().theirs.open("Pull");
    await pull.bind(address);
    expect(await pull.receiveText(10)).toEqual(numbers(10).flat());
    await pull.close();
  });

  it("our PULL's: what their PUSH has sent comes in", async () => {
    const pull = closing(new zmtp.Pull({ receiveHighWaterMark: 5 }));
    await pull.bind("tcp://127.0.0.1:*");
    const push = await sides().theirs.open("Push");
    await push.connect(pull.lastEndpoint!);
    const shapes: Shape[] = Array.from({ length: 200 }, () => [5, 0, 300]);
    await push.send(3, shapes);
    await until("the mark is reached", () => pull.stats().queued === 5);
    pull.receiveHighWaterMark = 200;
    await until("all is there", () => pull.stats().queued === 200);
    const all = await pull.receiveBatch();
    expect(all.map((parts) => parts.map(({ length }) => length).join("+"))).toEqual(
      digests(3, shapes).map((text) => text.split(":")[0]),
    );
    await push.close();
  });
});

describeWithLibzmq("OP-MAXMSGSIZE with libzmq: XPUB and XSUB", (sides) => {
  for (const oursLimits of either) {
    for (const [limiter, other] of [
      ["XPublisher", "XSubscriber"],
      ["XSubscriber", "XPublisher"],
    ] as const) {
      it(`a message over the limit of ${who(oursLimits)}, ${limiter}: the connection ends, and comes again`, async () => {
        const { ours, theirs } = sides();
        const bound = await (oursLimits ? ours : theirs).open(limiter, { maxMessageSize: 100 });
        const dials = await (oursLimits ? theirs : ours).open(other, { reconnectInterval: 20 });
        await join([bound, dials]);
        await Promise.all([bound.event("handshake"), dials.event("handshake")]);
        const [pub, sub] = limiter === "XPublisher" ? [bound, dials] : [dials, bound];
        await sub.sendText(["\x01"]);
        expect(await pub.receiveText(1)).toEqual(["\x01"]);
        const fits = "x".repeat(100);
        await dials.sendText([fits]);
        expect(await bound.receiveText(1)).toEqual([fits]);
        await dials.sendText([`${fits}x`]);
        await Promise.all([bound.event("disconnect"), dials.event("disconnect")]);
        await Promise.all([bound.event("handshake"), dials.event("handshake")]);
        await Promise.all([bound.close(), dials.close()]);
      });
    }
  }
});

describeWithLibzmq("OP-HEARTBEAT with libzmq: XPUB and XSUB", (sides) => {
  for (const oursBeats of either) {
    for (const kind of ["XPublisher", "XSubscriber"] as const) {
      it(`${kind} ${who(oursBeats)} beats: an idle connection stays, and no PING is heard of`, async () => {
        const { ours, theirs } = sides();
        const beats = { heartbeatInterval: 30, heartbeatTimeout: 10_000, heartbeatTimeToLive: 10_000 };
        const beating = await (oursBeats ? ours : theirs).open(kind, beats);
        const other = await (oursBeats ? theirs : ours).open(
          kind === "XPublisher" ? "XSubscriber" : "XPublisher",
        );
        await join([beating, other]);
        await Promise.all([beating.event("handshake"), other.event("handshake")]);
        await sleep(200);
        const [pub, sub] = kind === "XPublisher" ? [beating, other] : [other, beating];
        await sub.sendText(["\x01a"], ["up"]);
        expect(await pub.receiveText(2)).toEqual(["\x01a", "up"]);
        await pub.sendText(["a", "down"]);
        expect(await sub.receiveText(1)).toEqual(["a|down"]);
        expect([...beating.unheard, ...other.unheard]).not.toContain("disconnect");
        await Promise.all([pub.close(), sub.close()]);
      });
    }
  }
});
