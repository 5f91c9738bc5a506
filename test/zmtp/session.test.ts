import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Connection, type Event, ProtocolError, type SocketType } from "../../src/zmtp/index.ts";
import {
  almostCommand,
  almostFrames,
  brokenSession,
  chunked,
  chunking,
  compatiblePair,
  frame,
  session,
} from "../generators/index.ts";
import { byteByByte, cut } from "../support/chunks.ts";
import { greeting, ready } from "../support/greeting.ts";
import { ascii, hex, join, text } from "../support/hex.ts";
import { drain, Link, written } from "../support/link.ts";

/** Events as plain text, for comparing. */
function plain(events: Event[]): string[] {
  return events.map((event) => {
    if (event.type === "message") return `message ${event.parts.map(text).join("|")}`;
    if (event.type === "subscription") return `${event.subscribe ? "+" : "-"}${text(event.topic)}`;
    if (event.type === "pong") return `pong ${text(event.context)}`;
    if (event.type === "refused") return `refused ${event.error.reason}`;
    const { socketType, version, routingId, properties } = event.peer;
    const named = [...properties].map(([name, value]) => `${name}=${text(value)}`);
    return `ready ${[socketType, version, text(routingId), ...named].join(" ")}`;
  });
}

const SESSION = join(
  greeting(),
  ready("SUB"),
  hex('04 0B 09 "SUBSCRIBE" "a" 00 02 01 "b" 04 08 04 "PING" 00 00 "1" 04 06 04 "PONG" "2"'),
  hex('01 02 01 "c" 04 08 03 "FOO" "data" 00 03 "end" 04 08 06 "CANCEL" "a"'),
);
const EVENTS = ["ready SUB 3,1  Socket-Type=SUB", "+a", "+b", "pong 2", "+c", "message end", "-a"];

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

describe("E4, B-12: a session cut anywhere gives the same events and the same bytes back", () => {
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
  it("NU-6: every pair of types that may talk completes the handshake, every other is refused with ERROR", () => {
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
    expect(plain(link.seen.b).slice(1)).toEqual(["+a", "+b", "-a"]);
    expect(plain(link.seen.a).slice(1)).toEqual(["pong ctx"]);
  });
});

/** All that a connection of that type makes of the chunks: events, bytes after our greeting and READY, and the end. */
function outcome(
  type: SocketType,
  chunks: Uint8Array[],
): { events: string[]; sent: Uint8Array; end: string } {
  const limits = { maxMessageSize: 100_000, maxMessageBytes: 200_000 };
  const connection = new Connection({ socketType: type, now: 0, ...limits });
  const events: string[] = [];
  const sent: Uint8Array[] = [];
  const result = (end: string) => ({ events, sent: join(...sent), end });
  try {
    for (const chunk of chunks) {
      connection.push(chunk);
      for (let event = connection.next(); event !== null; event = connection.next()) {
        events.push(...plain([event]));
        if (event.type === "ready") connection.output();
        else if (connection.stage !== "closed") sent.push(written(connection));
      }
      if (connection.stage === "traffic") sent.push(written(connection));
    }
    if (connection.stage === "closed") return result("refused");
    return result(connection.end()?.code ?? "open");
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return result((error as ProtocolError).code);
  } finally {
    expect(connection.stage).toBe("closed");
  }
}

describe("FR-1 to FR-11, NU-1 to NU-8: whole sessions, however they are cut", () => {
  it("a peer that keeps the rules gets all that it does through, and PINGs answered", () => {
    fc.assert(
      fc.property(session(), chunking(), (good, cuts) => {
        const { events, sent, end } = outcome(good.ours, chunked(good.bytes, cuts));
        expect(events).toEqual(plain(good.events));
        expect(sent).toEqual(good.answers);
        expect(end).toBe("open");
      }),
      { numRuns: 150 },
    );
  });

  it("a peer that breaks one gets through what came before, and the rule's own error", () => {
    fc.assert(
      fc.property(brokenSession(), chunking(), (bad, cuts) => {
        const { events, end } = outcome(bad.ours, chunked(bad.bytes, cuts));
        expect([...events, end]).toEqual([...plain(bad.events), bad.end]);
      }),
      { numRuns: 150 },
    );
  });

  it("a session that ends at any byte gives the beginning of its events, and says when a message was cut", () => {
    fc.assert(
      fc.property(session(), fc.nat(), chunking(), (good, where, cuts) => {
        const at = where % (good.bytes.length + 1);
        const { events, end } = outcome(good.ours, chunked(good.bytes.subarray(0, at), cuts));
        expect(events).toEqual(plain(good.events).slice(0, events.length));
        expect(["open", "ERR_ZMTP_TRUNCATED"]).toContain(end);
        if (at === good.bytes.length) expect(end).toBe("open");
      }),
      { numRuns: 150 },
    );
  });
});

describe("arbitrary bytes give events or a ProtocolError, never anything else, and the same however cut", () => {
  const frames = fc
    .array(
      fc.oneof(
        almostFrames(60),
        almostCommand(),
        frame().map(({ bytes }) => bytes),
      ),
      { maxLength: 8 },
    )
    .map((all) => join(...all));

  it.each([
    ["from the first byte on", () => new Uint8Array(0)],
    ["after a greeting", () => greeting()],
    ["after READY", (theirs: SocketType) => join(greeting(), ready(theirs))],
  ])("%s", (_, prefix) => {
    fc.assert(
      fc.property(compatiblePair(), frames, chunking(), ([ours, theirs], bytes, cuts) => {
        const wire = join(prefix(theirs), bytes);
        const [whole, pieces] = [outcome(ours, [wire.slice()]), outcome(ours, chunked(wire, cuts))];
        expect([pieces.events, pieces.end]).toEqual([whole.events, whole.end]);
      }),
      { numRuns: 150 },
    );
  });
});
