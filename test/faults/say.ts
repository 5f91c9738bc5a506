import { bytes, frameAt } from "../interop/peers/bytes.ts";
import type { RawPeer } from "../interop/peers/raw-peer.ts";
import { sleep, until } from "../support/wait.ts";

/** Bytes of a greeting. */
export const GREETING = 64;

/** Writes what stands before the first bar, waits for our READY, then writes the rest, with a turn at each further bar. */
export async function say(peer: RawPeer, spelled: string): Promise<void> {
  const [first, ...rest] = spelled.split("|") as [string, ...string[]];
  peer.write(bytes(first));
  if (rest.length === 0) return;
  await until("our READY comes", () => frameAt(peer.unread.subarray(GREETING)) !== null);
  for (const [i, piece] of rest.entries()) {
    if (i > 0) await sleep(20);
    peer.write(bytes(piece));
  }
}
