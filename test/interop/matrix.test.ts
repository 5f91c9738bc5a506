import { expect, it } from "vitest";
import { useIpcAddresses } from "../support/folder.ts";
import { join, sync } from "./endpoints.ts";
import { digests, type Shape } from "./peers/messages.ts";
import type { SocketKind } from "./peers/station.ts";
import { describeWithLibzmq } from "./with-peers.ts";

const MIB = 1024 * 1024;

/** Sizes around every border of the framing (255/256) and of buffers (64 KiB), and far beyond; then multipart. */
const SHAPES: readonly Shape[] = [
  ...[0, 1, 254, 255, 256, 257, 65535, 65536, MIB, 5 * MIB].map((size) => [size]),
  [0, 0],
  [3, 0],
  [0, 256],
  [255, 0, 256],
  [1, 65536, 1],
  [MIB, 0, MIB],
  [0, 1, 254, 255, 256, 257, 0, 65536, 2, 0],
  [1],
];

interface Row {
  sender: SocketKind;
  receiver: SocketKind;
  oursSends: boolean;
  senderBinds: boolean;
  transport: "tcp" | "ipc";
}

const either = [true, false] as const;

/** Every pattern, role, bind side and transport. */
const ROWS: readonly Row[] = (["Publisher", "Push"] as const).flatMap((sender) =>
  either.flatMap((oursSends) =>
    either.flatMap((senderBinds) =>
      (["tcp", "ipc"] as const).map((transport) => ({
        sender,
        receiver: sender === "Push" ? ("Pull" as const) : ("Subscriber" as const),
        oursSends,
        senderBinds,
        transport,
      })),
    ),
  ),
);

describeWithLibzmq("N-2, E1: every size, pattern, role, bind side and transport", (sides) => {
  const ipcAddress = useIpcAddresses();

  for (const row of ROWS) {
    const who = (oursIt: boolean): string => (oursIt ? "our" : "their");
    const [sends, receives] = [who(row.oursSends), who(!row.oursSends)];
    const binds = row.senderBinds ? row.sender : row.receiver;
    it(`${sends} ${row.sender} to ${receives} ${row.receiver}, the ${binds} binds, ${row.transport}`, async () => {
      const { ours, theirs } = sides();
      const sender = await (row.oursSends ? ours : theirs).open(row.sender);
      const receiver = await (row.oursSends ? theirs : ours).open(row.receiver);
      if (row.receiver === "Subscriber") await receiver.subscribe("");

      const address = row.transport === "tcp" ? "tcp://127.0.0.1:*" : ipcAddress();
      await join(row.senderBinds ? [sender, receiver] : [receiver, sender], address);
      if (row.sender === "Publisher") await sync(sender, receiver);

      const received = receiver.receive(SHAPES.length);
      await sender.send(7, SHAPES);
      expect(await received).toEqual(digests(7, SHAPES));
      await Promise.all([sender.close(), receiver.close()]);
    });
  }
});
