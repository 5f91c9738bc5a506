import { expect } from "vitest";
import { bytes, frameAt, type RawFrame } from "../interop/peers/bytes.ts";
import type { Peer, RemoteSocket } from "../interop/peers/peer.ts";
import type { RawPeer, useRawPeers } from "../interop/peers/raw-peer.ts";
import { sleep, within } from "../support/wait.ts";
import { say } from "./say.ts";

/** What a raw subscriber says to a bound PUB or XPUB, spelled as in malformed-inputs.ts, and what comes of it. */
export interface SubscriptionInput {
  /** Number and what it is. */
  name: string;
  bytes: string;
  /** What is published then, parts as Latin-1. */
  published: string[][];
  /** What the subscriber gets of it, as `bytes`. */
  sent: string;
  /** What the application of an XPUB receives, the parts of each joined by `|`. */
  heard: string[];
  /** Default: the connection stays. */
  end?: "closed";
  /** What is otherwise at libzmq 4.3.5. */
  libzmq?: Partial<Pick<SubscriptionInput, "sent" | "heard">> & { end?: "open" };
}

const SUBSCRIBE_AB = "04 0C 09 'SUBSCRIBE' 'ab'";
const AB = { published: [["abc"], ["b"]], sent: "00 03 'abc'", heard: ["\x01ab"] };
/** To libzmq the subscription to the mark, which follows, is the next part: it finishes the message, and all of it counts. */
const FINISHED = { sent: "00 03 'abc'", heard: ["\x01a"] };

export const SUBSCRIPTIONS: readonly SubscriptionInput[] = [
  { name: "C-71, SUBSCRIBE from a 3.1 peer", bytes: `G | R-SUB ${SUBSCRIBE_AB}`, ...AB },
  { name: "C-71, SUBSCRIBE from a 3.0 peer", bytes: `G0 | R-SUB ${SUBSCRIBE_AB}`, ...AB },
  { name: "C-72, the message form from a 3.1 peer", bytes: "G | R-SUB 00 03 01 'ab'", ...AB },
  { name: "C-72, the message form from a 3.0 peer", bytes: "G0 | R-SUB 00 03 01 'ab'", ...AB },
  {
    name: "C-73, two subscriptions and one cancel",
    bytes: "G | R-SUB 00 02 01 'a' 00 02 01 'a' 00 02 00 'a'",
    published: [["abc"]],
    sent: "",
    heard: ["\x01a", "\0a"],
  },
  {
    name: "C-73, the same as commands",
    bytes: `G | R-SUB ${SUBSCRIBE_AB} ${SUBSCRIBE_AB} 04 09 06 'CANCEL' 'ab'`,
    published: [["abc"]],
    sent: "",
    heard: ["\x01ab", "\0ab"],
  },
  {
    name: "C-74, a topic given up that was never held",
    bytes: "G | R-SUB 00 03 00 'zz' 04 08 06 'CANCEL' 'z'",
    published: [["zz"]],
    sent: "",
    heard: ["\0zz", "\0z"],
  },
  {
    name: "C-75, messages",
    bytes: "G | R-SUB 00 03 02 'hi' 00 05 'plain' 01 01 'x' 00 01 'y'",
    published: [["hi"], ["plain"], ["x"]],
    sent: "",
    heard: ["\x02hi", "plain", "x|y"],
  },
  {
    name: "C-76, subscriptions as the parts of one message",
    bytes: "G | R-SUB 01 02 01 'a' 00 02 01 'b'",
    published: [["a"], ["b"], ["c"]],
    sent: "00 01 'a' 00 01 'b'",
    heard: ["\x01a", "\x01b"],
  },
  {
    name: "C-77, a subscription with MORE that is never finished",
    bytes: "G | R-SUB 01 02 01 'a'",
    published: [["abc"]],
    sent: "",
    heard: [],
    libzmq: FINISHED,
  },
  {
    name: "C-78, SUBSCRIBE with MORE",
    bytes: "G | R-SUB 05 0B 09 'SUBSCRIBE' 'a'",
    published: [["abc"]],
    sent: "",
    heard: [],
    end: "closed",
    libzmq: { end: "open", ...FINISHED },
  },
  {
    name: "C-79, subscribe",
    bytes: "G | R-SUB 04 0B 09 'subscribe' 'a'",
    published: [["abc"]],
    sent: "",
    heard: [],
  },
  {
    name: "C-79, SUBSCRIBE in a message frame",
    bytes: "G | R-SUB 00 0B 09 'SUBSCRIBE' 'a'",
    published: [["abc"]],
    sent: "",
    heard: ["\tSUBSCRIBEa"],
  },
  {
    name: "C-80, an empty message",
    bytes: "G | R-SUB 00 00",
    published: [["abc"], [""]],
    sent: "",
    heard: [""],
  },
  {
    name: "C-81, a subscription to everything",
    bytes: "G | R-SUB 00 01 01",
    published: [["", "x"], [""]],
    sent: "01 00 00 01 'x' 00 00",
    heard: ["\x01"],
  },
  {
    name: "C-82, SUBSCRIBE in the long form",
    bytes: "G | R-SUB 06 00*6 01 36 09 'SUBSCRIBE' 61*300",
    published: [["a".repeat(301)], ["a".repeat(299)]],
    sent: "02 00*6 01 2D 61*301",
    heard: [`\x01${"a".repeat(300)}`],
  },
  {
    name: "C-83, a ZMTP 1.0 subscriber",
    bytes: "01 00",
    published: [["abc"]],
    sent: "",
    heard: [],
    end: "closed",
  },
];

/** What stands in for the connection being heard of and being served. */
const MARK = "~mark";

/** Says it to a socket of the peer, and checks what the subscriber gets, what an XPUB hears, and that a neighbour is served. */
export async function checkSubscription(
  raw: ReturnType<typeof useRawPeers>,
  peer: Peer,
  kind: "Publisher" | "XPublisher",
  { end, ...input }: Omit<SubscriptionInput, "libzmq">,
): Promise<void> {
  const socket = await peer.open(kind);
  const address = await socket.bind("tcp://127.0.0.1:*");
  const neighbour = await raw.connect(address);
  await say(neighbour, "G | R-SUB 04 0B 09 'SUBSCRIBE' '~'");
  await served(socket, neighbour);
  if (kind === "XPublisher") expect(await socket.receiveText(1)).toEqual(["\x01~"]);

  const subscriber = await raw.connect(address);
  await say(subscriber, input.bytes);
  if (end === "closed") await within(10_000, "the end", subscriber.ended);
  const marker = end === "closed" ? neighbour : subscriber;
  marker.command("SUBSCRIBE", Buffer.from(MARK));
  if (kind === "XPublisher") expect(await heard(socket)).toEqual(input.heard);
  await served(socket, marker);

  await socket.sendText(...input.published, [MARK, "last"]);
  await frames(neighbour);
  if (end !== "closed") expect(await frames(subscriber)).toEqual(spelledFrames(input.sent));
  await socket.close();
}

/** What comes before the subscription to the mark. */
async function heard(socket: RemoteSocket): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const [text] = (await socket.receiveText(1)) as [string];
    if (text === `\x01${MARK}`) return texts;
    texts.push(text);
  }
}

/** Publishes marks until one arrives. */
async function served(socket: RemoteSocket, peer: RawPeer): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!peer.unread.includes(MARK)) {
    if (performance.now() > deadline) throw new Error("after 10 s still waiting for a mark");
    await socket.sendText([MARK]);
    await sleep(5);
  }
}

/** What was published, but for the marks, up to the last one. */
async function frames(peer: RawPeer): Promise<string[]> {
  await peer.read(64);
  await peer.frame();
  const all: string[] = [];
  for (;;) {
    const frame = await peer.frame();
    if (frame.body.equals(Buffer.from("last"))) return all;
    if (!frame.body.equals(Buffer.from(MARK))) all.push(spelled(frame));
  }
}

function spelledFrames(text: string): string[] {
  const all: string[] = [];
  let rest = bytes(text);
  for (let next = frameAt(rest); next !== null; next = frameAt(rest)) {
    all.push(spelled(next.frame));
    rest = rest.subarray(next.size);
  }
  return all;
}

function spelled({ flags, body }: RawFrame): string {
  return `${flags} ${body.toString("latin1")}`;
}
