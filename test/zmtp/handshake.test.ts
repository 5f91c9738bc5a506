import { describe, expect, it } from "vitest";
import { Connection, type ConnectionOptions, OutgoingMessage, ProtocolError } from "../../src/zmtp/index.ts";
import { byteByByte } from "../support/chunks.ts";
import { connected, greeting, ready } from "../support/greeting.ts";
import { ascii, filled, hex, join, text } from "../support/hex.ts";
import { drain, Link, written } from "../support/link.ts";

const G = greeting();
const ERROR_SOCKET_TYPE = hex('04 21 05 "ERROR" 1A "Socket-Type not acceptable"');
const ERROR_METADATA = hex('04 17 05 "ERROR" 10 "Invalid metadata"');

function pull(options: Partial<ConnectionOptions> = {}): Connection {
  return new Connection({ socketType: "PULL", now: 0, ...options });
}

/** Feeds `bytes`; gives the types of the events and the code that ended it. */
function outcome(connection: Connection, ...bytes: Uint8Array[]): string[] {
  const seen: string[] = [];
  try {
    for (const chunk of bytes) {
      connection.push(chunk);
      for (let event = connection.next(); event !== null; event = connection.next()) seen.push(event.type);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    expect(connection.stage).toBe("closed");
    expect(connection.next()).toBeNull();
    seen.push((error as ProtocolError).code);
  }
  return seen;
}

/** A READY with the given metadata, spelled. */
function readyWith(spelled: string): Uint8Array {
  const body = join(hex('05 "READY"'), hex(spelled));
  return join(Uint8Array.of(4, body.length), body);
}

describe("GR-3, B-2: our greeting goes out at once, whole", () => {
  it("before anything has come", () => {
    expect(written(pull())).toEqual(G);
  });

  it("GR-16, B-6, E1: READY follows when the peer's greeting is complete, without waiting for the peer's READY", () => {
    const connection = pull();
    connection.output();
    connection.push(G.subarray(0, 63));
    expect(connection.next()).toBeNull();
    expect(connection.outputLength).toBe(0);
    connection.push(G.subarray(63));
    expect(connection.next()).toBeNull();
    expect(written(connection)).toEqual(hex('04 1A 05 "READY" 0B "Socket-Type" 00000004 "PULL"'));
    expect(connection.stage).toBe("handshake");
  });
});

describe("NU-1, NU-2: our READY", () => {
  const readyOf = (options: Omit<ConnectionOptions, "now">) => {
    const connection = new Connection({ now: 0, ...options });
    connection.push(G);
    connection.next();
    return written(connection).subarray(64);
  };

  it("C-91: REQ, DEALER and ROUTER give their Identity, empty when they have none", () => {
    expect(readyOf({ socketType: "DEALER" })).toEqual(
      hex('04 29 05 "READY" 0B "Socket-Type" 00000006 "DEALER" 08 "Identity" 00000000'),
    );
    expect(readyOf({ socketType: "ROUTER", routingId: ascii("id") })).toEqual(
      hex('04 2B 05 "READY" 0B "Socket-Type" 00000006 "ROUTER" 08 "Identity" 00000002 "id"'),
    );
    expect(readyOf({ socketType: "PUB", routingId: ascii("id") })).toEqual(
      hex('04 19 05 "READY" 0B "Socket-Type" 00000003 "PUB"'),
    );
  });

  it("properties of our own follow; a large READY is a long frame", () => {
    expect(readyOf({ socketType: "PUSH", metadata: { "X-A": "é", "x-b": hex("00") } })).toEqual(
      hex('04 2D 05 "READY" 0B "Socket-Type" 00000004 "PUSH" 03 "X-A" 00000002 c3a9 03 "x-b" 00000001 00'),
    );
    expect(readyOf({ socketType: "PUSH", metadata: { "X-A": filled(300) } }).subarray(0, 9)).toEqual(
      hex("06 00 00 00 00 00 00 01 4E"),
    );
  });
});

describe("the peer's greeting", () => {
  it.each([
    ["C-4: minor 0", greeting(3, 0)],
    ["E6, C-4: minor 9", greeting(3, 9)],
    ["C-5: major 2", greeting(2, 0)],
    ["E6, C-5: major 4", greeting(4, 0)],
    ["C-5: major 255", greeting(255, 1)],
  ])("%s is accepted", (_, bytes) => {
    expect(outcome(pull(), bytes, ready("PUSH"), hex('00 02 "hi"'))).toEqual(["ready", "message"]);
  });

  it.each([
    ["C-13: PLAIN", '"PLAIN"'],
    ["C-13: null", '"null"'],
    ["C-13: NULLX", '"NULLX"'],
    ["C-13: NULL and blanks", '"NULL    "'],
  ])("GR-4, GR-13, %s is another mechanism; our greeting stays in the output", (_, spelled) => {
    const bytes = greeting();
    bytes.set(hex(spelled), 12);
    const connection = pull();
    expect(outcome(connection, bytes)).toEqual(["ERR_ZMTP_MECHANISM_MISMATCH"]);
    expect(written(connection)).toEqual(G);
  });

  it("GR-12, C-10, C-14, C-15, C-17, C-18, C-20: ZMTP 1.0, 2.0 and what is no ZMTP is refused", () => {
    for (const spelled of [
      '"GET /"',
      "01 00",
      "FF 00 00 00 00 00 00 00 00 7E",
      "FF 00 00 00 00 00 00 00 01 7F 00",
    ]) {
      expect(outcome(pull(), hex(spelled))).toEqual(["ERR_ZMTP_VERSION"]);
    }
    expect(outcome(pull(), hex("FF 00 00 00 00 00 00 00 01 7F 01"))).toEqual(["ERR_ZMTP_VERSION"]);
  });
});

describe("the peer's READY", () => {
  it.each([
    ["C-26: another type", ready("SUB")],
    ["C-27: lower case", ready("push")],
    ["C-27: empty", ready("")],
    ["C-27: with a zero", readyWith('0B "Socket-Type" 00000005 "PUSH" 00')],
    ["C-28: a name in lower case", readyWith('0B "socket-type" 00000003 "SUB"')],
    ["C-29: no properties", readyWith("")],
    [
      "C-37: a second one that is wrong",
      readyWith('0B "Socket-Type" 00000004 "PUSH" 0B "Socket-Type" 00000003 "SUB"'),
    ],
  ])("NU-5, NU-6, %s: ERROR, then close", (_, frame) => {
    const connection = pull();
    connection.push(G);
    connection.next();
    connection.output();
    expect(outcome(connection, frame)).toEqual(["ERR_ZMTP_SOCKET_TYPE"]);
    expect(written(connection)).toEqual(ERROR_SOCKET_TYPE);
  });

  const TYPE = '0B "Socket-Type" 00000004 "PUSH"';
  it.each([
    ["C-30: a name of no bytes", `${TYPE} 00 00000000`],
    ["C-31: an ill-formed name", `${TYPE} 05 61 20 62 00 FF 00000000`],
    ["C-32: a byte too many", `${TYPE} 41`],
    ["C-33: a value that is cut", `${TYPE} 01 "X" 00000063 41`],
    ["C-34: a value that is not there", `${TYPE} 01 "X" FFFFFFFF`],
    ["C-35: a name without a value", `${TYPE} 01 "X"`],
    ["C-36: a name that is cut", `${TYPE} FF 61 62 63`],
    ["C-90: an Identity of 256 bytes", `${TYPE} 08 "Identity" 00000100 ${"41".repeat(256)}`],
  ])("NU-5, NU-7, %s: ERROR, then close", (_, spelled) => {
    const body = join(hex('05 "READY"'), hex(spelled));
    const connection = pull();
    connection.push(G);
    connection.next();
    connection.output();
    const long = join(hex("06 00 00 00 00 00 00"), Uint8Array.of(body.length >> 8, body.length & 255), body);
    expect(outcome(connection, long)).toEqual(["ERR_ZMTP_INVALID_METADATA"]);
    expect(written(connection)).toEqual(ERROR_METADATA);
  });

  it.each([
    ["C-38: the type twice", readyWith(`${TYPE} ${TYPE}`)],
    ["C-39: unknown properties", readyWith(`${TYPE} 05 "X-Foo" 00000001 41 08 "Resource" 00000000`)],
    ["B-8, C-28: another case", readyWith('0B "SOCKET-type" 00000004 "PUSH"')],
    ["NU-5: another order", readyWith(`01 "X" 00000000 ${TYPE}`)],
    ["NU-3, C-42: long form", join(hex("06 00 00 00 00 00 00 00 1A"), ready("PUSH").subarray(2))],
  ])("%s is accepted", (_, frame) => {
    expect(outcome(pull(), G, frame)).toEqual(["ready"]);
  });

  it("NU-3, C-40: READY in a message frame is refused, without ERROR", () => {
    const connection = pull();
    expect(outcome(connection, G, join(hex("00"), ready("PUSH").subarray(1)))).toEqual([
      "ERR_ZMTP_UNEXPECTED_COMMAND",
    ]);
    expect(text(written(connection))).not.toContain("ERROR");
  });

  it("NU-3, C-41: READY with MORE or a reserved bit is refused", () => {
    expect(outcome(pull(), G, hex("05"))).toEqual(["ERR_ZMTP_FRAME"]);
    expect(outcome(pull(), G, hex("F4"))).toEqual(["ERR_ZMTP_FRAME"]);
  });

  it.each([
    ["C-44: ready", '04 06 05 "ready"'],
    ["C-44: READYX", '04 07 06 "READYX"'],
    ["C-45: an empty command", "04 00"],
    ["C-45: an empty message", "00 00"],
    ["C-45: PING", '04 07 04 "PING" 00 00'],
    ["SUBSCRIBE", '04 0A 09 "SUBSCRIBE"'],
  ])("NU-8, HB-6, %s before READY is refused", (_, spelled) => {
    expect(outcome(pull(), G, hex(spelled))).toEqual(["ERR_ZMTP_UNEXPECTED_COMMAND"]);
  });

  it("C-51: maxMessageSize does not apply to the handshake, which has a limit of its own", () => {
    const connection = pull({ maxMessageSize: 1 });
    expect(outcome(connection, G, ready("PUSH"), hex("00 02"))).toEqual([
      "ready",
      "ERR_ZMTP_FRAME_TOO_LARGE",
    ]);
    expect(outcome(pull(), G, hex("06 00 00 00 00 00 00 20 00"))).toEqual([]);
    expect(outcome(pull(), G, hex("06 00 00 00 00 00 00 20 01"))).toEqual(["ERR_ZMTP_FRAME_TOO_LARGE"]);
  });
});

describe("PeerInfo", () => {
  it("E13, E15, C-90: Identity of any size up to 255, also with a leading zero; the last one counts", () => {
    for (const id of [
      filled(0),
      filled(1, 5),
      filled(127, 5),
      filled(128, 5),
      filled(255, 5),
      hex("00 61"),
    ]) {
      const link = new Link({ socketType: "ROUTER" }, { socketType: "DEALER", routingId: id }).settle();
      expect(link.a.peer?.routingId).toEqual(id);
    }
    const connection = new Connection({ socketType: "ROUTER", now: 0 });
    connection.push(
      join(
        G,
        readyWith('0B "Socket-Type" 00000003 "REQ" 08 "Identity" 00000001 41 08 "identity" 00000001 42'),
      ),
    );
    drain(connection);
    expect(connection.peer?.routingId).toEqual(ascii("B"));
  });

  it("B-7: Identity may be missing, and may come from any type", () => {
    for (const socketType of ["DEALER", "ROUTER", "REQ"] as const) {
      expect(outcome(new Connection({ socketType: "ROUTER", now: 0 }), G, ready(socketType))).toEqual([
        "ready",
      ]);
    }
    const identified = pull();
    const identity = `0B "Socket-Type" 00000004 "PUSH" 08 "Identity" 00000002 "id"`;
    expect(outcome(identified, G, readyWith(identity), hex('00 02 "hi"'))).toEqual(["ready", "message"]);
    expect(identified.peer?.routingId).toEqual(ascii("id"));
  });

  it("has what the peer announced, in memory of its own", () => {
    const connection = pull();
    const chunk = join(
      greeting(3, 9),
      readyWith('0B "Socket-Type" 00000004 "PUSH" 03 "X-A" 00000001 41 03 "x-a" 00000001 42'),
    );
    connection.push(chunk);
    const [event] = drain(connection);
    expect(event).toEqual({
      type: "ready",
      peer: {
        socketType: "PUSH",
        routingId: ascii(""),
        properties: new Map([
          ["Socket-Type", ascii("PUSH")],
          ["X-A", ascii("A")],
        ]),
        version: [3, 9],
      },
    });
    expect(connection.peer?.properties.get("X-A")?.buffer).not.toBe(chunk.buffer);
  });
});

describe("NU-8: the peer's ERROR", () => {
  it.each([
    ['04 0A 05 "ERROR" 03 "400"', "400"],
    ['04 0B 05 "ERROR" 04 "oops"', "oops"],
    ['04 0D 05 "ERROR" 03 "400" "zzz"', "400"],
    ['04 07 05 "ERROR" 00', ""],
  ])("%s ends the connection as refused", (spelled, reason) => {
    const connection = pull();
    connection.push(join(G, hex(spelled)));
    expect(drain(connection)).toEqual([
      { type: "refused", error: expect.objectContaining({ code: "ERR_ZMTP_REFUSED", reason }) },
    ]);
    expect(connection.stage).toBe("closed");
    expect(connection.output()).toEqual([]);
  });

  it("C-48: without its reason, or with a reason that is cut", () => {
    expect(outcome(pull(), G, hex('04 06 05 "ERROR"'))).toEqual(["ERR_ZMTP_MALFORMED_COMMAND_ERROR"]);
    expect(outcome(pull(), G, hex('04 0A 05 "ERROR" 10 "abc"'))).toEqual([
      "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
    ]);
  });

  it("FR-9, C-43, C-50: READY and ERROR after the handshake are ignored", () => {
    const late = join(ready("PUSH"), hex('04 0A 05 "ERROR" 03 "400"'), ready("SUB"), hex('00 02 "hi"'));
    expect(outcome(pull(), G, ready("PUSH"), late)).toEqual(["ready", "message"]);
  });
});

describe("NU-4: one door out", () => {
  it("B-1: what is sent before the peer's READY waits for it, in order; what comes early is taken", () => {
    const sub = new Connection({ socketType: "SUB", now: 0 });
    sub.subscribe(ascii("a"));
    sub.cancel(ascii("a"));
    sub.ping(ascii("1"));
    expect(written(sub)).toEqual(G);
    sub.push(G);
    expect(sub.next()).toBeNull();
    sub.subscribe(ascii("b"));
    expect(text(written(sub))).toContain("READY");
    expect(sub.outputLength).toBe(0);
    sub.push(join(ready("PUB"), hex('00 01 "b"')));
    expect(drain(sub).map((event) => event.type)).toEqual(["ready", "message"]);
    expect(written(sub)).toEqual(
      hex(
        '04 0B 09 "SUBSCRIBE" "a" 04 08 06 "CANCEL" "a" 04 08 04 "PING" 00 00 "1" 04 0B 09 "SUBSCRIBE" "b"',
      ),
    );
  });

  it("messages too: small parts are copied at the call", () => {
    const push = new Connection({ socketType: "PUSH", now: 0 });
    const part = ascii("one");
    push.send([part]);
    push.send(new OutgoingMessage([ascii("two"), filled(3000)]));
    part[0] = 0;
    expect(written(push)).toEqual(G);
    push.push(join(G, ready("PULL")));
    drain(push);
    expect(written(push).subarray(28)).toEqual(
      join(hex('00 03 "one" 01 03 "two" 02 00 00 00 00 00 00 0B B8'), filled(3000)),
    );
  });

  it("what is sent on ready leaves after READY, even when greeting and READY come in one chunk", () => {
    const sub = new Connection({ socketType: "SUB", now: 0 });
    sub.push(join(G, ready("PUB")));
    for (const event of drain(sub)) if (event.type === "ready") sub.subscribe(ascii("a"));
    expect(written(sub)).toEqual(
      join(G, hex('04 19 05 "READY" 0B "Socket-Type" 00000003 "SUB"'), hex('04 0B 09 "SUBSCRIBE" "a"')),
    );
  });

  it("C-2, C-3: a message in the same chunk as greeting and READY is delivered after ready", () => {
    expect(outcome(pull(), join(G, ready("PUSH"), hex('00 02 "hi"')))).toEqual(["ready", "message"]);
  });
});

describe("GR-18, B-40: the handshake timer", () => {
  /** Ticks as asked, until `until`; the time at which it threw. */
  const timeout = (connection: Connection, until: number): number | null => {
    while (connection.wakeAt <= until) {
      const now = connection.wakeAt;
      try {
        connection.tick(now);
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" });
        expect(connection.stage).toBe("closed");
        expect(connection.output()).toEqual([]);
        return now;
      }
    }
    return null;
  };

  it.each([
    ["C-22: 20 bytes, then silence", G.subarray(0, 20)],
    ["C-23: no bytes", new Uint8Array(0)],
    ["C-24: a greeting, no READY", G],
    ["half a READY", join(G, ready("PUSH").subarray(0, 9))],
  ])("%s", (_, bytes) => {
    const connection = new Connection({ socketType: "PULL", now: 1000, handshakeInterval: 200 });
    connection.push(bytes);
    connection.next();
    expect(connection.wakeAt).toBe(1200);
    connection.tick(1199);
    expect(timeout(connection, 5000)).toBe(1210);
    expect(connection.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it("OP-HANDSHAKE_IVL: is 30 s by default, off at 0, and ends with the handshake", () => {
    expect(pull().wakeAt).toBe(30_000);
    expect(pull({ handshakeInterval: 0 }).wakeAt).toBe(Number.POSITIVE_INFINITY);
    expect(connected({ socketType: "PULL" }, "PUSH").wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  it("when it fires late, what came meanwhile is read first", () => {
    const connection = pull({ handshakeInterval: 200 });
    connection.tick(5000);
    connection.push(join(G, ready("PUSH")));
    expect(drain(connection).map((event) => event.type)).toEqual(["ready"]);
    connection.tick(9000);
    expect(connection.stage).toBe("traffic");
  });
});

describe("E4: a handshake in any cut", () => {
  it("byte by byte", () => {
    const link = new Link({ socketType: "PUSH" }, { socketType: "PULL" }, byteByByte).settle();
    expect([link.a.stage, link.b.stage]).toEqual(["traffic", "traffic"]);
  });
});

describe("ConnectionOptions", () => {
  it.each([
    [{ socketType: "FOO" }, "EINVAL"],
    [{ routingId: filled(256) }, "EINVAL"],
    [{ metadata: { Foo: "" } }, "EINVAL"],
    [{ metadata: { "X-ü": "" } }, "EINVAL"],
    [{ maxMessageSize: -2 }, "EINVAL"],
    [{ maxMessageBytes: -1 }, "EINVAL"],
    [{ maxMessageParts: 0 }, "EINVAL"],
    [{ handshakeInterval: 1.5 }, "EINVAL"],
    [{ heartbeatInterval: -1 }, "EINVAL"],
    [{ heartbeatTimeToLive: 6_553_600 }, "EINVAL"],
    [{ heartbeatPeers: "some" }, "EINVAL"],
    [{ now: Number.NaN }, "EINVAL"],
  ])("%j is refused", (options, code) => {
    expect(() => pull(options as Partial<ConnectionOptions>)).toThrow(expect.objectContaining({ code }));
  });

  it("the wrong kind is a TypeError", () => {
    for (const options of [
      { routingId: "id" },
      { onlyFirstSubscribe: 1 },
      { metadata: { "X-A": 1 } },
      { maxMessageSize: "1" },
      { now: "0" },
    ]) {
      expect(() => pull(options as never)).toThrow(TypeError);
    }
  });

  it("metadata that no peer would accept in a handshake is refused", () => {
    expect(() => pull({ metadata: { "X-A": filled(9000) } })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });
});
