import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { bytes } from "../interop/peers/bytes.ts";
import { type RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { until, within } from "../support/wait.ts";

const COUNT = 200;
/** ms in which all are there, and the good one gets through. */
const HANDSHAKE_INTERVAL = 4000;
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
    expect(String(await within(HANDSHAKE_INTERVAL, "the good one's message", pull.receive()))).toBe(
      "beside them",
    );
    expect(silent.filter((peer) => peer.open)).toHaveLength(COUNT);

    await within(HANDSHAKE_INTERVAL * 2, "the end of all", Promise.all(silent.map((peer) => peer.ended)));
    good.message("after them");
    expect(String(await pull.receive())).toBe("after them");
    expect(good.open).toBe(true);
    await pull.close();
  });
});

describe("E45: more connections in handshake than maxPendingConnections", () => {
  const raw = useRawPeers();

  it("cost the oldest their place; a good one gets through before, between and after them", async () => {
    const limit = AT_A_TIME;
    const pull = new zmtp.Pull({ maxPendingConnections: limit });
    let accepted = 0;
    const codes: (string | undefined)[] = [];
    pull.events.on("accept", () => {
      accepted += 1;
    });
    pull.events.on("handshake:error:other", ({ error }) => codes.push(error.code));
    await pull.bind("tcp://127.0.0.1:*");
    const good: RawPeer[] = [];
    const silent: RawPeer[] = [];
    for (let round = 1; round <= 4; round += 1) {
      const peer = await raw.connect(pull.lastEndpoint!);
      await peer.shake("PUSH");
      good.push(peer);
      const some = Array.from({ length: AT_A_TIME }, () => raw.connect(pull.lastEndpoint!));
      silent.push(...(await Promise.all(some)));
      await until("all are accepted", () => accepted === silent.length + good.length);
      for (const one of good) one.message(`round ${round}`);
      for (const _ of good)
        expect(String(await within(10_000, "a message", pull.receive()))).toBe(`round ${round}`);
    }
    const tooMany = silent.length - limit;
    await until("the oldest are closed", () => silent.filter((peer) => peer.open).length === limit);
    expect(silent.slice(0, tooMany).some((peer) => peer.open)).toBe(false);
    expect(codes).toEqual(Array.from({ length: tooMany }, () => "EMFILE"));
    await pull.close();
  });
});
