import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Connection,
  type Event,
  OutgoingMessage,
  ProtocolError,
  type SocketType,
} from "../../src/zmtp/index.ts";
import { byteByByte, cut, cuts, parts } from "../support/chunks.ts";
import { greeting, ready } from "../support/greeting.ts";
import { ascii, hex, join, text } from "../support/hex.ts";
import { drain, Link } from "../support/link.ts";

/** Events as plain text, for comparing. */
function plain(events: Event[]): string[] {
  return events.map((event) => {
    if (event.type === "message") return `message ${event.parts.map(text).join("|")}`;
    if (event.type === "subscription") return `${event.subscribe ? "+" : "-"}${text(event.topic)}`;
    if (event.type === "pong") return `pong ${text(event.context)}`;
    return event.type;
  });
}

const SESSION = join(
  greeting(),
  ready("SUB"),
  hex('04 0B 09 "SUBSCRIBE" "a" 00 02 01 "b" 04 08 04 "PING" 00 00 "1" 04 06 04 "PONG" "2"'),
  hex('01 02 01 "c" 04 08 03 "FOO" "data" 00 03 "end" 04 08 06 "CANCEL" "a"'),
);
const EVENTS = ["ready", "+a", "+b", "pong 2", "+c", "message end", "-a"];

function publisher(chunks: Uint8Array[]): [string[], string] {
  const connection = new Connection({ socketType: "PUB", now: 0 });
  const seen: string[] = [];
  let sent = "";
  for (const chunk of chunks) {
    connection.push(chunk);
    seen.push(...plain(drain(connection)));
    for (const out of connection.output()) sent += text(out);
  }
  return [seen, sent];
}

describe("E4: a session cut anywhere gives the same events and the same bytes back", () => {
  const whole = publisher([SESSION]);

  it("in one chunk", () => {
    expect(whole[0]).toEqual(EVENTS);
    expect(whole[1]).toContain("PONG1");
  });

  it("byte by byte", () => {
    expect(publisher(byteByByte(SESSION))).toEqual(whole);
  });

  it("in two, at every byte", () => {
    for (let at = 0; at <= SESSION.length; at++) expect(publisher(cut(SESSION, [at]))).toEqual(whole);
  });

  it("in three, at any", () => {
    const offset = fc.nat(SESSION.length);
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        expect(publisher(cut(SESSION, [a, b]))).toEqual(whole);
      }),
    );
  });
});

describe("two connections", () => {
  it("messages arrive as they were sent, however the wire cuts them", () => {
    const messages = fc.array(fc.tuple(parts(), fc.boolean()), { maxLength: 8 });
    fc.assert(
      fc.property(messages, cuts(), (messages, offsets) => {
        const link = new Link({ socketType: "PUSH" }, { socketType: "PULL" }, (chunk) => cut(chunk, offsets));
        for (const [i, [bodies, isMessage]] of messages.entries()) {
          link.a.send(isMessage ? new OutgoingMessage(bodies) : bodies);
          if (i === 2) link.settle();
        }
        link.settle();
        const expected = messages.map(([bodies]) => `message ${bodies.map(text).join("|")}`);
        expect(plain(link.seen.b)).toEqual(["ready", ...expected]);
      }),
      { numRuns: 60 },
    );
  });

  it("every pair of types that may talk completes the handshake, every other is refused with ERROR", () => {
    const pairs: [SocketType, SocketType, boolean][] = [
      ["PUB", "SUB", true],
      ["XPUB", "XSUB", true],
      ["REQ", "ROUTER", true],
      ["DEALER", "DEALER", true],
      ["PUB", "PULL", false],
      ["REQ", "REQ", false],
    ];
    for (const [a, b, isAllowed] of pairs) {
      const link = new Link({ socketType: a }, { socketType: b });
      if (isAllowed) {
        link.settle();
        expect([link.a.peer?.socketType, link.b.peer?.socketType]).toEqual([b, a]);
      } else {
        expect(() => link.settle()).toThrow(expect.objectContaining({ code: "ERR_ZMTP_SOCKET_TYPE" }));
      }
    }
  });

  it("subscriptions arrive before messages that are sent after them, and are answered by PONG in order", () => {
    const link = new Link({ socketType: "SUB" }, { socketType: "PUB" }).settle();
    for (const topic of ["a", "b"]) link.a.subscribe(ascii(topic));
    link.a.ping(ascii("ctx"));
    link.a.cancel(ascii("a"));
    link.settle();
    expect(plain(link.seen.b)).toEqual(["ready", "+a", "+b", "-a"]);
    expect(plain(link.seen.a)).toEqual(["ready", "pong ctx"]);
  });
});

describe("arbitrary bytes give events or a ProtocolError, never anything else, and the same however cut", () => {
  const outcome = (type: SocketType, chunks: Uint8Array[]): string => {
    const connection = new Connection({
      socketType: type,
      now: 0,
      maxMessageSize: 1000,
      maxMessageBytes: 2000,
    });
    const seen: string[] = [];
    try {
      for (const chunk of chunks) {
        connection.push(chunk);
        for (let event = connection.next(); event !== null; event = connection.next())
          seen.push(...plain([event]));
      }
      seen.push(connection.end()?.code ?? "end");
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
      seen.push((error as ProtocolError).code);
    }
    expect(connection.stage).toBe("closed");
    return seen.join(";");
  };

  const noise = fc
    .array(fc.oneof(fc.nat(7), fc.nat(12), fc.nat(255)), { maxLength: 60 })
    .map((bytes) => Uint8Array.from(bytes));
  const command = fc
    .tuple(fc.constantFrom("READY", "ERROR", "SUBSCRIBE", "CANCEL", "PING", "PONG", "FOO", ""), noise)
    .map(([name, data]) =>
      join(Uint8Array.of(4, 1 + name.length + data.length, name.length), ascii(name), data),
    );
  const frame = fc.oneof(
    command,
    noise,
    fc
      .tuple(fc.constantFrom(0, 1), noise)
      .map(([flags, body]) => join(Uint8Array.of(flags, body.length), body)),
  );
  const frames = fc.array(frame, { maxLength: 8 }).map((all) => join(...all));
  const type = fc.constantFrom<SocketType>("PUB", "SUB", "PULL", "ROUTER");

  it.each([
    ["from the first byte on", () => new Uint8Array(0)],
    ["after a greeting", () => greeting()],
    [
      "after READY",
      (own: SocketType) =>
        join(greeting(), ready({ PUB: "SUB", SUB: "PUB", PULL: "PUSH" }[own as "PUB"] ?? "REQ")),
    ],
  ])("%s", (_, prefix) => {
    fc.assert(
      fc.property(type, frames, cuts(200), (own, bytes, offsets) => {
        const wire = join(prefix(own), bytes);
        expect(outcome(own, cut(wire, offsets))).toBe(outcome(own, [wire]));
      }),
      { numRuns: 300 },
    );
  });
});
