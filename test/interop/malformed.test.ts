import { expect, it } from "vitest";
import { GREETINGS, HANDSHAKES, type Input, TRAFFIC } from "../faults/malformed-inputs.ts";
import { say } from "../faults/say.ts";
import { sleep, within } from "../support/wait.ts";
import { type RawPeer, useRawPeers } from "./peers/raw-peer.ts";
import { describeWithZeromq } from "./with-peers.ts";

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
