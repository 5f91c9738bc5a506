import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { useIpcAddresses } from "../support/folder.ts";
import { join, sync } from "./endpoints.ts";
import { digests, type Shape } from "./peers/messages.ts";
import type { RemoteSocket } from "./peers/peer.ts";
import type { SocketKind } from "./peers/station.ts";
import { describeWithLibzmq } from "./with-peers.ts";

const SHAPES: readonly Shape[] = [[0], [1], [255], [256], [70_000], [0, 0], [3, 0, 300], [1, 70_000, 1], [2]];
const either = [true, false] as const;
const PAIRS = [
  ["Publisher", "XSubscriber"],
  ["XPublisher", "Subscriber"],
  ["XPublisher", "XSubscriber"],
] as const;

/** In the words of each type. */
async function subscribe(socket: RemoteSocket, kind: SocketKind, topic: string): Promise<void> {
  await (kind === "XSubscriber" ? socket.sendText([`\x01${topic}`]) : socket.subscribe(topic));
}

async function unsubscribe(socket: RemoteSocket, kind: SocketKind, topic: string): Promise<void> {
  await (kind === "XSubscriber" ? socket.sendText([`\0${topic}`]) : socket.unsubscribe(topic));
}

describeWithLibzmq("SU-3, SU-4, PS-7, PS-8: every pair with XPUB or XSUB, both ways", (sides) => {
  const ipcAddress = useIpcAddresses();

  for (const [sender, receiver] of PAIRS) {
    for (const oursSends of either) {
      for (const senderBinds of either) {
        for (const transport of ["tcp", "ipc"] as const) {
          const who = (ours: boolean): string => (ours ? "our" : "their");
          const names = `${who(oursSends)} ${sender}, ${who(!oursSends)} ${receiver}`;
          it(`${names}, the ${senderBinds ? sender : receiver} binds, ${transport}`, async () => {
            const { ours, theirs } = sides();
            const pub = await (oursSends ? ours : theirs).open(sender);
            const sub = await (oursSends ? theirs : ours).open(receiver);
            const address = transport === "tcp" ? "tcp://127.0.0.1:*" : ipcAddress();
            await join(senderBinds ? [pub, sub] : [sub, pub], address);
            await Promise.all([pub.event("handshake"), sub.event("handshake")]);

            await subscribe(sub, receiver, "");
            if (sender === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\x01"]);
            if (receiver === "XSubscriber") {
              await sub.sendText(["\x02up", "", "stream"], [""], ["plain"]);
              if (sender === "XPublisher")
                expect(await pub.receiveText(3)).toEqual(["\x02up||stream", "", "plain"]);
            }
            await sync(pub, sub);
            const received = sub.receive(SHAPES.length);
            await pub.send(7, SHAPES);
            expect(await received).toEqual(digests(7, SHAPES));

            await unsubscribe(sub, receiver, "");
            if (sender === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\0"]);
            await Promise.all([pub.close(), sub.close()]);
          });
        }
      }
    }
  }
});

const MODES = [
  [undefined, ["\x01T", "\0T"]],
  ["allSubs", ["\x01T", "\x01T", "\x01T", "\0T"]],
  ["allSubsUnsubs", ["\x01T", "\x01T", "\x01T", "\0T", "\0T"]],
] as const;

describeWithLibzmq("PS-3, PS-4: what an XPUB hears of a+ b+ a+ a- a- b- b-", (sides) => {
  for (const [verbosity, expected] of MODES) {
    for (const [who, kind] of [
      ["our", "Subscriber"],
      ["our", "XSubscriber"],
      ["their", "XSubscriber"],
    ] as const) {
      it(`${who} XPUB, verbosity ${verbosity ?? "null"}, ${kind}s of the other side`, async () => {
        const { ours, theirs } = sides();
        const options = verbosity === undefined ? {} : { verbosity };
        const pub = await (who === "our" ? ours : theirs).open("XPublisher", options);
        const [a, b] = [
          await (who === "our" ? theirs : ours).open(kind),
          await (who === "our" ? theirs : ours).open(kind),
        ];
        const address = await join([pub, a]);
        await b.connect(address);
        let marks = 0;
        const heard: string[] = [];
        /** One step, and a topic of its own behind it, whose arrival says that the step has been heard of. */
        const step = async (change: typeof subscribe, socket: RemoteSocket): Promise<void> => {
          marks += 1;
          await change(socket, kind, "T");
          await subscribe(socket, kind, `mark ${marks}`);
          for (;;) {
            const [text] = (await pub.receiveText(1)) as [string];
            if (text === `\x01mark ${marks}`) return;
            if (!text.includes("mark")) heard.push(text);
          }
        };
        for (const socket of [a, b, a]) await step(subscribe, socket);
        for (const socket of [a, a, b, b]) await step(unsubscribe, socket);
        expect(heard).toEqual(expected);

        // A peer goes: its marks end, each for nobody else has it.
        await a.close();
        const ends = await pub.receiveText(4);
        expect(ends.sort()).toEqual(["\0mark 1", "\0mark 3", "\0mark 4", "\0mark 5"]);
        await Promise.all([pub.close(), b.close()]);
      });
    }
  }
});

describeWithLibzmq("PS-5, PS-12, PS-18 with libzmq", (sides) => {
  it("manual: their XSUB gets what the application says, not what it asked for", async () => {
    const { ours, theirs } = sides();
    const pub = await ours.open("XPublisher", { manual: true });
    const sub = await theirs.open("XSubscriber");
    await join([pub, sub]);
    await sub.sendText(["\x01A"]);
    expect(await pub.receiveText(1)).toEqual(["\x01A"]);
    await pub.subscribe("XA");
    await pub.sendText(["A", "no"], ["XA", "yes"]);
    expect(await sub.receiveText(1)).toEqual(["XA|yes"]);
    await sub.sendText(["\0A"]);
    expect(await pub.receiveText(1)).toEqual(["\0A"]);
    await pub.unsubscribe("XA");
    await pub.subscribe("end");
    await pub.sendText(["XA", "no more"], ["end"]);
    expect(await sub.receiveText(1)).toEqual(["end"]);
    await sub.close();
    await pub.close();
  });

  for (const oursPublishes of either) {
    it(`welcomeMessage of ${oursPublishes ? "our" : "their"} XPUB: a SUB that wants it sees it`, async () => {
      const { ours, theirs } = sides();
      const pub = await (oursPublishes ? ours : theirs).open("XPublisher", { welcomeMessage: "W" });
      const sub = await (oursPublishes ? theirs : ours).open("Subscriber");
      await sub.subscribe("W");
      await join([pub, sub]);
      expect(await sub.receiveText(1)).toEqual(["W"]);
      await Promise.all([pub.close(), sub.close()]);
    });
  }

  it("noDrop: a SUB of theirs that stops reading stops us, and nothing is lost", async () => {
    const { theirs } = sides();
    const pub = new zmtp.Publisher({ noDrop: true, sendHighWaterMark: 10, linger: 0 });
    await pub.bind("tcp://127.0.0.1:*");
    const sub = await theirs.open("Subscriber", { receiveHighWaterMark: 10 });
    await sub.pause();
    await sub.subscribe("");
    await sub.connect(pub.lastEndpoint as string);
    await pub.subscribed("");
    const body = Buffer.alloc(10_000, "x");
    let taken = 0;
    for (; taken < 20_000 && pub.trySend([String(taken), body]); taken += 1) await turn();
    expect(taken).toBeLessThan(20_000);
    const rest = Array.from({ length: 20 }, (_, n) => pub.send([String(taken + n), body]));
    await sub.resume();
    const received = sub.receiveText(taken + rest.length);
    await Promise.all(rest);
    const numbers = (await received).map((text) => Number(text.split("|", 1)[0]));
    expect(numbers).toEqual(Array.from({ length: taken + rest.length }, (_, n) => n));
    expect(pub.stats().dropped).toBe(0);
    await Promise.all([pub.close(), sub.close()]);
  });
});
