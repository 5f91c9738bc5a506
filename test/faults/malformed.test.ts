import { afterAll, afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { bytes } from "../interop/peers/bytes.ts";
import { localPeer } from "../interop/peers/peer.ts";
import { RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import type { Library } from "../interop/peers/station.ts";
import { memoryInUse } from "../support/memory.ts";
import { sleep, until, within } from "../support/wait.ts";
import { GREETINGS, HANDSHAKES, type Input, TRAFFIC } from "./malformed-inputs.ts";
import { GREETING, say } from "./say.ts";
import { checkSubscription, SUBSCRIPTIONS } from "./subscription-inputs.ts";

const HANDSHAKE_INTERVAL = 300;
/** Without the help of the other handshakeInterval, of 30 s. */
const AT_ONCE = 10_000;

describe.each([
  ["greetings", GREETINGS],
  ["handshakes", HANDSHAKES],
  ["traffic", TRAFFIC],
])("N-8: malformed and edge inputs: %s", (_, inputs) => {
  const raw = useRawPeers();
  let pull: zmtp.Pull;
  let neighbour: RawPeer;
  let received: string[][];
  /** The codes of the errors that the socket's events carried. */
  let codes: (string | undefined)[];

  async function start(options: Input["options"] & { handshakeInterval: number }): Promise<void> {
    pull = new zmtp.Pull(options);
    received = [];
    codes = [];
    pull.events.on("disconnect", ({ error }) => codes.push((error as { code?: string } | undefined)?.code));
    await pull.bind("tcp://127.0.0.1:*");
    void collect(pull, received);
    neighbour = await raw.connect(pull.lastEndpoint!);
    await neighbour.shake("PUSH");
  }

  afterEach(async () => {
    await pull.close();
  });

  for (const input of inputs) it(`${input.name}: ${input.end}`, () => check(input));

  async function check(input: Input): Promise<void> {
    // Long where the end has to come without it.
    const handshakeInterval = input.end === "timeout" ? HANDSHAKE_INTERVAL : 30_000;
    await start({ ...input.options, handshakeInterval });
    const peer = await raw.connect(pull.lastEndpoint!);
    await say(peer, input.bytes);
    await checkEnd(peer, input.end);

    neighbour.message("still here");
    await until("the neighbour is heard", () => received.some((parts) => parts[0] === "still here"));
    const delivered = received.filter((parts) => parts[0] !== "still here" && parts[0] !== "good");
    expect(delivered).toEqual(input.delivers ?? []);
    if (input.code !== undefined) expect(codes).toEqual([input.code]);
    else expect(codes).toEqual([]);
    checkAnswer(peer, input);
  }

  async function checkEnd(peer: RawPeer, end: Input["end"]): Promise<void> {
    if (end === "waiting") {
      await sleep(400);
      expect(peer.open).toBe(true);
    } else if (end === "open") {
      peer.message("good");
      await until("the next message comes", () => received.some((parts) => parts[0] === "good"), AT_ONCE);
    } else {
      const before = performance.now();
      await within(AT_ONCE, "the end", peer.ended);
      if (end === "timeout") expect(performance.now() - before).toBeGreaterThan(HANDSHAKE_INTERVAL / 2);
    }
  }
});

function checkAnswer(peer: RawPeer, input: Input): void {
  const answer = peer.unread.subarray(GREETING + bytes("R-PULL").length);
  if (input.answer === "ERROR") {
    expect(answer.subarray(2, 8)).toEqual(bytes("05 'ERROR'"));
    expect(answer).toHaveLength(2 + answer[1]!);
  } else {
    expect(answer).toEqual(bytes(input.answer ?? ""));
  }
}

async function collect(pull: zmtp.Pull, into: string[][]): Promise<void> {
  for await (const parts of pull) into.push(parts.map((part) => part.toString("latin1")));
}

describe("malformed and edge inputs: C-70, half a message", () => {
  const raw = useRawPeers();

  it.each([
    ["a part with MORE", "01 01 'a'"],
    ["a part with MORE and half a header", "01 01 'a' 00"],
    ["half a body", "01 01 'a' 00 05 'ab'"],
  ])("%s and then the end: nothing is delivered", async (_, half) => {
    const pull = new zmtp.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const received: string[][] = [];
    void collect(pull, received);
    const peer = await raw.connect(pull.lastEndpoint!);
    await say(peer, `G | R-PUSH 00 05 'whole' ${half}`);
    peer.end();
    await within(AT_ONCE, "the end", peer.ended);
    const next = await raw.connect(pull.lastEndpoint!);
    await say(next, "G | R-PUSH 00 04 'next'");
    await until("the next connection is heard", () => received.length === 2);
    expect(received).toEqual([["whole"], ["next"]]);
    await pull.close();
  });
});

describe.each(["Publisher", "XPublisher"] as const)("malformed and edge inputs to a %s", (kind) => {
  const raw = useRawPeers();
  const ours = localPeer("ours", zmtp as unknown as Library);
  afterAll(() => ours.closeAll());

  for (const input of SUBSCRIPTIONS) it(input.name, () => checkSubscription(raw, ours, kind, input));
});

describe("malformed and edge inputs to a SUB and an XSUB", () => {
  const raw = useRawPeers();

  it.each([
    ["C-84, only what matches a subscription is delivered, whole", zmtp.Subscriber, ["a|zz", "aend"]],
    [
      "C-84, an XSUB takes everything",
      zmtp.XSubscriber,
      ["zzz", "a|zz", "z|abc", "", "\x01b", "end", "aend"],
    ],
  ] as const)("%s", async (_, Kind, expected) => {
    const listener = await raw.listen();
    const sub = new Kind();
    sub.subscribe("a");
    sub.connect(listener.address);
    const publisher = await listener.accept();
    await publisher.shake("PUB");
    // Subscriptions are nothing that a publisher could ask for.
    publisher.write(bytes("04 0B 09 'SUBSCRIBE' 'b' 04 08 06 'CANCEL' 'a'"));
    publisher.write(bytes("00 03 'zzz' 01 01 'a' 00 02 'zz' 01 01 'z' 00 03 'abc' 00 00 00 02 01 'b'"));
    publisher.write(bytes("00 03 'end' 00 04 'aend'"));
    for (const text of expected) expect((await sub.receive()).map(String).join("|")).toBe(text);
    expect(sub.stats().queued).toBe(0);
    await sub.close();
  });
});

describe("malformed and edge inputs to a PUSH", () => {
  const raw = useRawPeers();

  it("C-92, data is dropped, and holds up nothing", async () => {
    const push = new zmtp.Push();
    await push.bind("tcp://127.0.0.1:*");
    const neighbour = await raw.connect(push.lastEndpoint!);
    await neighbour.shake("PULL");
    const peer = await raw.connect(push.lastEndpoint!);
    await say(peer, `G | R-PULL 01 01 'a' 00 01 'b' ${"00 02 'no' ".repeat(5000)} 04 07 04 'PING' 00 00`);
    await until("the PONG comes", () => peer.unread.includes("PONG"));
    for (const one of ["1", "2"]) await push.send(one);
    await until("each has its message", () => peer.unread.length > GREETING + bytes("R-PUSH").length + 7);
    expect((await neighbour.frame()).body).toHaveLength(1);
    expect(push.stats()).toMatchObject({ sent: 2, dropped: 0, queued: 0 });
    await push.close();
  });
});

describe("N-8: malformed and edge inputs, all of them again and again", () => {
  const raw = useRawPeers();
  /** Bytes by which 1500 connections may make memory grow: far less than one connection each would. */
  const MOST = 5e6;
  const INPUTS = [...GREETINGS, ...HANDSHAKES, ...TRAFFIC].filter(({ options }) => options === undefined);

  it("leave no memory, no handle and no peer behind", async () => {
    const pull = new zmtp.Pull({ backlog: 400 });
    await pull.bind("tcp://127.0.0.1:*");
    void collect(pull, []);
    const neighbour = await raw.connect(pull.lastEndpoint!);
    await neighbour.shake("PUSH");
    const round = async (): Promise<void> => {
      const peers = await Promise.all(
        INPUTS.map(async (input) => {
          const peer = await RawPeer.connect(pull.lastEndpoint!);
          await say(peer, input.bytes);
          return { peer, input };
        }),
      );
      for (const { peer, input } of peers) {
        if (input.end === "closed") await within(10_000, input.name, peer.ended);
        peer.destroy();
      }
      await until("all have gone", () => pull.stats().peers.length === 1);
    };
    for (let i = 0; i < 3; i += 1) await round();
    const before = await memoryInUse();
    const handles = process.getActiveResourcesInfo().length;
    for (let i = 0; i < 15; i += 1) await round();
    expect((await memoryInUse(before + MOST / 2)) - before).toBeLessThan(MOST);
    await until("all handles are closed", () => process.getActiveResourcesInfo().length <= handles);
    expect(neighbour.open).toBe(true);
    await pull.close();
  }, 60_000);
});
