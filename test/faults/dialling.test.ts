import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { bytes } from "../interop/peers/bytes.ts";
import { type RawListener, type RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { sleep, until } from "../support/wait.ts";

interface Fault {
  name: string;
  /** What the listener says before it falls silent. */
  bytes: string;
  /** The listener closes then; otherwise the end is ours to make. */
  closes?: boolean;
  reason: zmtp.DisconnectReason;
  code?: string;
  /** Its handshake is good: it takes the first message with it. */
  takes?: true;
}

const FAULTS: readonly Fault[] = [
  { name: "closes at once", bytes: "", closes: true, reason: "handshake" },
  { name: "closes after half a greeting", bytes: "FF 00*8 7F 03", closes: true, reason: "handshake" },
  { name: "closes after its greeting", bytes: "G", closes: true, reason: "handshake" },
  { name: "closes after its READY", bytes: "G R-PULL", closes: true, reason: "peer", takes: true },
  { name: "is silent", bytes: "", reason: "handshake", code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" },
  {
    name: "speaks HTTP",
    bytes: "'HTTP/1.1 400 Bad Request' 0D 0A",
    reason: "protocol",
    code: "ERR_ZMTP_VERSION",
  },
  { name: "speaks ZMTP 2.0", bytes: "FF 00*8 7F 01 07", reason: "protocol", code: "ERR_ZMTP_VERSION" },
  {
    name: "has another mechanism",
    bytes: "FF 00*8 7F 03 01 'PLAIN' 00*15 00*32",
    reason: "protocol",
    code: "ERR_ZMTP_MECHANISM_MISMATCH",
  },
  { name: "is a PUB", bytes: "G R-PUB", reason: "protocol", code: "ERR_ZMTP_SOCKET_TYPE" },
  {
    name: "breaks the framing",
    bytes: "G R-PULL FF",
    reason: "protocol",
    code: "ERR_ZMTP_FRAME",
    takes: true,
  },
];

/** A good PULL on the listener's next connection. */
async function serve(listener: RawListener): Promise<RawPeer> {
  const peer = await listener.accept();
  await peer.shake("PULL");
  return peer;
}

describe("RC-1, C-111 and C-112: a connection that we dialled and that fails is dialled again, and an event says so", () => {
  const raw = useRawPeers();

  it.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    "a peer that %s",
    async (_, { bytes: spelled, closes, reason, code, takes }) => {
      const listener = await raw.listen();
      const handshakeInterval = code === "ERR_ZMTP_HANDSHAKE_TIMEOUT" ? 500 : 30_000;
      const push = new zmtp.Push({ reconnectInterval: 20, handshakeInterval, linger: 0 });
      const lost: zmtp.SocketEvents["disconnect"][] = [];
      push.events.on("disconnect", (event) => lost.push(event));
      push.connect(listener.address);
      const sent = push.send("for the one that behaves");
      const peer = await listener.accept();
      peer.write(bytes(spelled));
      if (closes) peer.end();

      const good = await serve(listener);
      await sent;
      if (takes) await push.send("for the one that behaves");
      expect((await good.frame()).body.toString()).toBe("for the one that behaves");
      expect(lost).toHaveLength(1);
      expect(lost[0]).toMatchObject({ reason, address: listener.address });
      expect(lost[0]!.retryIn).toBeGreaterThan(0);
      expect((lost[0]!.error as zmtp.ZmqError | undefined)?.code).toBe(code);
      await push.close();
    },
  );

  it("one that refuses us by ERROR is not dialled again, until the application connects anew", async () => {
    const listener = await raw.listen();
    const push = new zmtp.Push({ reconnectInterval: 20, sendTimeout: 0, linger: 0 });
    const lost: zmtp.SocketEvents["disconnect"][] = [];
    push.events.on("disconnect", (event) => lost.push(event));
    push.connect(listener.address);
    await push.send("dropped with the endpoint");
    const peer = await listener.accept();
    peer.write(bytes("G 04 0A 05 'ERROR' 03 'no!'"));
    await until("the socket says so", () => lost.length > 0);
    expect(lost).toMatchObject([{ reason: "refused", error: { code: "ERR_ZMTP_REFUSED", reason: "no!" } }]);
    expect(lost[0]).not.toHaveProperty("retryIn");
    expect(push.stats().dropped).toBe(1);
    await expect(push.send("nobody is left")).rejects.toMatchObject({ code: "EAGAIN" });
    await sleep(300);
    expect(listener.accepted).toBe(1);

    push.connect(listener.address);
    const good = await serve(listener);
    await push.send("after a new connect");
    expect((await good.frame()).body.toString()).toBe("after a new connect");
    await push.close();
  });
});
