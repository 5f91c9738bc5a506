import { expect, it } from "vitest";
import { GREETINGS, HANDSHAKES, type Input, TRAFFIC } from "../faults/malformed-inputs.ts";
import { say } from "../faults/say.ts";
import { checkSubscription, SUBSCRIPTIONS } from "../faults/subscription-inputs.ts";
import { sleep, until, within } from "../support/wait.ts";
import { bytes } from "./peers/bytes.ts";
import { type RawPeer, useRawPeers } from "./peers/raw-peer.ts";
import { describeWithLibzmq, describeWithZeromq } from "./with-peers.ts";

type End = Exclude<NonNullable<Input["libzmq"]>["end"], "waiting">;

const HANDSHAKE_INTERVAL = 300;
const PATIENCE = 10_000;

/** What our own tests expect of us is what libzmq does, but for the rows that say otherwise: here are both checked. */
describeWithZeromq("malformed and edge inputs do to libzmq what we think they do", (sides) => {
  const raw = useRawPeers();

  for (const input of [...GREETINGS, ...HANDSHAKES, ...TRAFFIC]) {
    const { end, delivers = [] } = input.libzmq ?? input;
    // Waiting shows in nothing that could be waited for.
    if (end !== "waiting") it(`${input.name}: ${end}`, () => check(input, end, delivers));
  }

  async function check(input: Input, end: End, delivers: string[][]): Promise<void> {
    const { theirs } = sides();
    const handshakeInterval = end === "timeout" ? HANDSHAKE_INTERVAL : 30_000;
    const pull = await theirs.open("Pull", { ...input.options, handshakeInterval });
    const peer = await raw.connect(await pull.bind("tcp://127.0.0.1:*"));
    await say(peer, input.bytes);
    await checkEnd(peer, end);
    const expected = delivers.map((parts) => parts.join("|"));
    if (end === "open") expected.push("good");
    if (expected.length > 0) expect(await pull.receiveText(expected.length)).toEqual(expected);
    await pull.close();
  }

  async function checkEnd(peer: RawPeer, end: End): Promise<void> {
    if (end === "open") peer.message("good");
    else if (end === "kept") {
      await sleep(50);
      expect(peer.open).toBe(true);
    } else await within(PATIENCE, "the end", peer.ended);
  }
});

describeWithLibzmq("malformed and edge inputs to publishers do to libzmq what we think they do", (sides) => {
  const raw = useRawPeers();

  for (const kind of ["Publisher", "XPublisher"] as const) {
    for (const { libzmq, ...input } of SUBSCRIPTIONS) {
      // To a ZMTP 1.0 peer it would answer in other frames.
      if (input.name.startsWith("C-83")) continue;
      const { end, ...otherwise } = libzmq ?? {};
      const { end: ours, ...row } = { ...input, ...otherwise };
      const expected = end === "open" || ours === undefined ? row : { ...row, end: ours };
      it(`${kind}: ${input.name}`, () => checkSubscription(raw, sides().theirs, kind, expected));
    }
  }

  it("C-83, a ZMTP 1.0 subscriber gets everything, in frames of ZMTP 1.0", async () => {
    const publisher = await sides().theirs.open("Publisher");
    const peer = await raw.connect(await publisher.bind("tcp://127.0.0.1:*"));
    peer.write(bytes("01 00"));
    await until("a message comes", async () => {
      await publisher.sendText(["topic"]);
      return peer.unread.includes(bytes("06 00 'topic'"));
    });
    await publisher.close();
  });
});
