import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { bytes } from "../interop/peers/bytes.ts";
import { type RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { until, within } from "../support/wait.ts";

const COUNT = 200;
const HANDSHAKE_INTERVAL = 2000;
/** Fewer than the listener's backlog: what is over that the kernel lets wait for a second. */
const AT_A_TIME = 50;

describe("E45: connections that never finish their handshake", () => {
  const raw = useRawPeers();

  it.each([
    ["say nothing", ""],
    ["send half a greeting", "FF 00*8 7F 03 01"],
    ["send a greeting and no READY", "G"],
  ])("200 that %s do not hinder a good one, and are closed in time", async (_, said) => {
    const pull = new zmtp.Pull({ handshakeInterval: HANDSHAKE_INTERVAL });
    let accepted = 0;
    pull.events.on("accept", () => {
      accepted += 1;
    });
    await pull.bind("tcp://127.0.0.1:*");
    const silent: RawPeer[] = [];
    while (silent.length < COUNT) {
      const some = Array.from({ length: AT_A_TIME }, () => raw.connect(pull.lastEndpoint!));
      silent.push(...(await Promise.all(some)));
    }
    for (const peer of silent) peer.write(bytes(said));
    await until("all are accepted", () => accepted === COUNT);

    const good = await raw.connect(pull.lastEndpoint!);
    await good.shake("PUSH");
    good.message("beside them");
    expect(String(await within(1000, "the good one's message", pull.receive()))).toBe("beside them");
    expect(silent.filter((peer) => peer.open)).toHaveLength(COUNT);

    await within(HANDSHAKE_INTERVAL * 2, "the end of all", Promise.all(silent.map((peer) => peer.ended)));
    good.message("after them");
    expect(String(await pull.receive())).toBe("after them");
    expect(good.open).toBe(true);
    await pull.close();
  });
});
