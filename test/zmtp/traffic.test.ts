import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Connection, type Event, OutgoingMessage, ProtocolError } from "../../src/zmtp/index.ts";
import { byteByByte } from "../support/chunks.ts";
import { connected, greeting, ready } from "../support/greeting.ts";
import { ascii, filled, hex, join, text } from "../support/hex.ts";
import { drain, written } from "../support/link.ts";

/** Feeds bytes after the handshake; gives the events, and the code of the error that ended it. */
function receive(connection: Connection, ...spelled: (string | Uint8Array)[]): (Event | string)[] {
  const seen: (Event | string)[] = [];
  try {
    for (const piece of spelled) {
      connection.push(typeof piece === "string" ? hex(piece) : piece);
      for (let event = connection.next(); event !== null; event = connection.next()) seen.push(event);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    expect(connection.stage).toBe("closed");
    expect(connection.next()).toBeNull();
    seen.push((error as ProtocolError).code);
  }
  return seen;
}

function message(...parts: string[]): Event {
  return { type: "message", parts: parts.map(ascii) };
}

function subscription(subscribe: boolean, topic: string): Event {
  return { type: "subscription", subscribe, topic: ascii(topic) };
}

const pull = () => connected({ socketType: "PULL" }, "PUSH");
const sub = (minor: 0 | 1 = 1) => connected({ socketType: "SUB" }, "PUB", minor);
const pub = (minor: 0 | 1 = 1) => connected({ socketType: "PUB" }, "SUB", minor);

describe("messages", () => {
  it.each([
    ["C-1: one part", '00 02 "hi"', [message("hi")]],
    ["FR-6, C-55: empty", "00 00 02 00 00 00 00 00 00 00 00", [message(""), message("")]],
    ["C-56: long form", '02 00 00 00 00 00 00 00 05 "hello"', [message("hello")]],
    ["several parts", '01 01 "a" 01 00 00 01 "b"', [message("a", "", "b")]],
    [
      "FR-5, B-14, C-59: commands between parts",
      '01 01 "a" 04 08 03 "FOO" "data" 04 07 04 "PING" 00 00 00 01 "b"',
      [message("a", "b")],
    ],
    ["C-64: PING in a message frame", '00 07 04 "PING" 00 00', [message("\x04PING\0\0")]],
  ])("%s", (_, spelled, events) => {
    expect(receive(pull(), spelled)).toEqual(events);
    expect(receive(pull(), ...byteByByte(hex(spelled)))).toEqual(events);
  });

  it("E10, B-16: PING between the parts of a message, for every type", () => {
    const pairs = [
      ["PAIR", "PAIR"],
      ["SUB", "PUB"],
      ["XPUB", "XSUB"],
      ["XSUB", "XPUB"],
      ["REQ", "REP"],
      ["REP", "REQ"],
      ["DEALER", "ROUTER"],
      ["ROUTER", "DEALER"],
      ["PUSH", "PULL"],
      ["PULL", "PUSH"],
      ["PUB", "SUB"],
    ] as const;
    for (const [socketType, peer] of pairs) {
      const connection = connected({ socketType }, peer);
      const spelled = '01 00 04 07 04 "PING" 00 00 01 01 "a" 04 05 04 "PONG" 00 01 "b"';
      expect(receive(connection, spelled).filter((event) => (event as Event).type === "message")).toEqual([
        message("", "a", "b"),
      ]);
      expect(written(connection)).toEqual(hex('04 05 04 "PONG"'));
    }
  });

  it("C-57, C-58: reserved bits, and MORE on a command, end the connection", () => {
    expect(receive(pull(), '00 01 "a" F8')).toEqual([message("a"), "ERR_ZMTP_FRAME"]);
    expect(receive(pull(), '05 04 03 "FOO"')).toEqual(["ERR_ZMTP_FRAME"]);
  });

  it("an error drops what waits for the peer, and sends no ERROR", () => {
    const push = connected({ socketType: "PUSH" }, "PULL");
    push.send([ascii("a")]);
    expect(receive(push, "08")).toEqual(["ERR_ZMTP_FRAME"]);
    expect(push.output()).toEqual([]);
  });
});

describe("commands", () => {
  it("FR-9, E12, B-15, C-60: unknown, nameless and empty commands are ignored", () => {
    expect(receive(pull(), '04 08 03 "FOO" "data" 04 00 04 01 00 04 05 04 "ping" 00 01 "a"')).toEqual([
      message("a"),
    ]);
  });

  it("E12: any other name, with any data, is ignored, also between the parts of a message", () => {
    const known = ["PING", "PONG", "SUBSCRIBE", "CANCEL"];
    const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
    const name = bytes(40).filter((one) => !known.includes(text(one)));
    fc.assert(
      fc.property(name, bytes(300), fc.constantFrom("PULL", "PUB", "SUB"), (name, data, socketType) => {
        const peer = { PULL: "PUSH", PUB: "SUB", SUB: "PUB" }[socketType];
        const body = join(Uint8Array.of(name.length), name, data);
        const short = join(Uint8Array.of(4, body.length), body);
        const long = join(
          hex("06 00 00 00 00 00 00"),
          Uint8Array.of(body.length >> 8, body.length & 255),
          body,
        );
        const command = body.length < 256 ? short : long;
        const connection = connected({ socketType }, peer);
        expect(receive(connection, join(command, hex('01 01 "a"'), command, hex('00 01 "b"')))).toEqual([
          message("a", "b"),
        ]);
        expect(connection.outputLength).toBe(0);
      }),
    );
  });

  it("C-60: a name longer than the body ends the connection", () => {
    expect(receive(pull(), '04 04 20 "ABC"')).toEqual(["ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"]);
  });

  it("FR-10, B-16, C-68: SUBSCRIBE and CANCEL to a type without use for them are dropped", () => {
    expect(receive(pull(), '04 0D 09 "SUBSCRIBE" "abc" 04 0A 06 "CANCEL" "abc" 00 01 "a"')).toEqual([
      message("a"),
    ]);
  });
});

describe("limits", () => {
  const limited = (options: object) => connected({ socketType: "PULL", ...options }, "PUSH");

  it("FR-7, OP-MAXMSGSIZE, C-52 to C-54: maxMessageSize holds per frame, commands included", () => {
    const options = { maxMessageSize: 30 };
    expect(receive(limited(options), join(hex("00 1E"), filled(30)))).toHaveLength(1);
    expect(receive(limited(options), "00 1F")).toEqual(["ERR_ZMTP_FRAME_TOO_LARGE"]);
    expect(receive(limited(options), join(hex("01 14"), filled(20), hex("00 14"), filled(20)))).toHaveLength(
      1,
    );
    expect(receive(limited(options), "04 2C")).toEqual(["ERR_ZMTP_FRAME_TOO_LARGE"]);
  });

  it("maxMessageBytes holds per message, size + 64 per part, also towards a PUB", () => {
    expect(receive(limited({ maxMessageBytes: 138 }), '01 05 "12345" 00 05 "12345"')).toHaveLength(1);
    expect(receive(limited({ maxMessageBytes: 138 }), '01 05 "12345" 00 06')).toEqual([
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    ]);
    const publisher = connected({ socketType: "PUB", maxMessageBytes: 1000 }, "SUB");
    expect(receive(publisher, "01 00".repeat(16))).toEqual(["ERR_ZMTP_MESSAGE_TOO_LARGE"]);
  });

  it("C-69: sizes of 2^63", () => {
    expect(receive(pull(), "02 80 00 00 00 00 00 00 00")).toEqual(["ERR_ZMTP_FRAME"]);
  });

  it("E17: a million empty parts in one chunk", () => {
    const wire = new Uint8Array(2e6 + 2);
    for (let i = 0; i < 2e6; i += 2) wire[i] = 1;
    const [event] = receive(pull(), wire);
    expect(event).toMatchObject({ type: "message" });
    expect((event as { parts: unknown[] }).parts).toHaveLength(1e6 + 1);
  });
});

describe("FR-11, E19, C-70: the peer closes", () => {
  it.each([
    ["between messages", '00 01 "a"', null],
    ["before anything", "", null],
    ["after half a message", "01 01 61", "ERR_ZMTP_TRUNCATED"],
    ["in a header", "02 00", "ERR_ZMTP_TRUNCATED"],
    ["after the flags", "00", "ERR_ZMTP_TRUNCATED"],
    ["in a body", "00 02 61", "ERR_ZMTP_TRUNCATED"],
  ])("%s", (_, spelled, code) => {
    const connection = pull();
    receive(connection, spelled);
    expect(connection.end()?.code ?? null).toBe(code);
    expect(connection.stage).toBe("closed");
    expect(connection.end()).toBeNull();
  });

  it("during the greeting nothing is cut but the greeting", () => {
    const connection = new Connection({ socketType: "PULL", now: 0 });
    connection.push(greeting().subarray(0, 20));
    connection.next();
    expect(connection.end()).toBeNull();
  });

  it("a message of three parts cut at every byte: three parts or none", () => {
    const wire = hex('01 01 "a" 01 02 "bb" 00 03 "ccc"');
    for (let size = 0; size < wire.length; size++) {
      const connection = pull();
      expect(receive(connection, wire.slice(0, size))).toEqual([]);
      expect(connection.end()?.code ?? null).toBe(size === 0 ? null : "ERR_ZMTP_TRUNCATED");
    }
    expect(receive(pull(), wire)).toEqual([message("a", "bb", "ccc")]);
  });
});

describe("SU-1 to SU-3: subscriptions that PUB and XPUB receive", () => {
  it.each([0, 1] as const)("C-71, C-72: both forms, from a peer of minor version %i", (minor) => {
    expect(
      receive(pub(minor), '04 0C 09 "SUBSCRIBE" "ab" 00 03 01 "ab" 04 09 06 "CANCEL" "ab" 00 03 00 "ab"'),
    ).toEqual([
      subscription(true, "ab"),
      subscription(true, "ab"),
      subscription(false, "ab"),
      subscription(false, "ab"),
    ]);
  });

  it("C-73, C-74: every one is told, repeated and unknown ones too: the socket keeps the books", () => {
    expect(receive(pub(), '00 02 01 "a" 00 02 01 "a" 00 02 00 "a" 00 03 00 "zz"')).toEqual([
      subscription(true, "a"),
      subscription(true, "a"),
      subscription(false, "a"),
      subscription(false, "zz"),
    ]);
  });

  it("C-75, C-80: what is no subscription is a message", () => {
    const xpub = connected({ socketType: "XPUB" }, "XSUB");
    expect(receive(xpub, '00 03 02 "hi" 00 05 "plain" 00 00')).toEqual([
      message("\x02hi"),
      message("plain"),
      message(""),
    ]);
  });

  it("PS-7, C-76: every part of a message may be one; the rest stays a message", () => {
    expect(receive(pub(), '01 02 01 "a" 00 02 01 "b"')).toEqual([
      subscription(true, "a"),
      subscription(true, "b"),
    ]);
    expect(receive(pub(), '01 01 "x" 01 02 01 "a" 00 01 "y"')).toEqual([
      subscription(true, "a"),
      message("x", "y"),
    ]);
  });

  it("onlyFirstSubscribe: of a message that does not begin with one, no part is", () => {
    const xpub = connected({ socketType: "XPUB", onlyFirstSubscribe: true }, "XSUB");
    expect(receive(xpub, '01 01 "x" 01 02 01 "a" 00 01 "y"')).toEqual([message("x", "\x01a", "y")]);
    expect(receive(xpub, '01 02 01 "a" 01 02 00 "b" 00 01 "z"')).toEqual([
      subscription(true, "a"),
      subscription(false, "b"),
      message("z"),
    ]);
    expect(receive(xpub, '00 00 04 0B 09 "SUBSCRIBE" "a"')).toEqual([message(""), subscription(true, "a")]);
  });

  it("C-77: a message that is not finished is not applied", () => {
    const connection = pub();
    expect(receive(connection, '01 02 01 "a"')).toEqual([]);
    expect(receive(connection, '04 0A 09 "SUBSCRIBE"')).toEqual([subscription(true, "")]);
    expect(receive(connection, '00 01 "b"')).toEqual([subscription(true, "a"), message("b")]);
  });

  it("C-78: SUBSCRIBE with MORE ends the connection", () => {
    expect(receive(pub(), '05 0B 09 "SUBSCRIBE" "a"')).toEqual(["ERR_ZMTP_FRAME"]);
  });

  it("C-79: lower case is unknown, SUBSCRIBE in a message frame a message", () => {
    expect(receive(pub(), '04 0B 09 "subscribe" "a" 00 0B 09 "SUBSCRIBE" "a"')).toEqual([
      message("\tSUBSCRIBEa"),
    ]);
  });

  it("C-81, C-82: everything, and a topic of 300 bytes", () => {
    expect(receive(pub(), "00 01 01 00 01 00")).toEqual([subscription(true, ""), subscription(false, "")]);
    expect(receive(pub(), join(hex('06 00 00 00 00 00 00 01 36 09 "SUBSCRIBE"'), filled(300)))).toEqual([
      { type: "subscription", subscribe: true, topic: filled(300) },
    ]);
    expect(receive(pub(), join(hex("02 00 00 00 00 00 00 01 2D 00"), filled(300)))).toEqual([
      { type: "subscription", subscribe: false, topic: filled(300) },
    ]);
  });

  it("on other types the message form is a message", () => {
    expect(receive(pull(), '00 02 01 "a"')).toEqual([message("\x01a")]);
  });
});

describe("SU-4, E7, E8: subscriptions that SUB and XSUB send", () => {
  it("SU-1, SU-2, B-19: commands to 3.1, messages to 3.0", () => {
    const modern = sub();
    modern.subscribe(ascii("A"));
    modern.cancel(ascii("A"));
    expect(written(modern)).toEqual(hex('04 0B 09 "SUBSCRIBE" "A" 04 08 06 "CANCEL" "A"'));
    const old = sub(0);
    old.subscribe(ascii("A"));
    old.cancel(ascii("A"));
    old.subscribe(ascii(""));
    expect(written(old)).toEqual(hex('00 02 01 "A" 00 02 00 "A" 00 01 01'));
  });

  it("a peer of major version 2 counts as 3.1", () => {
    const connection = new Connection({ socketType: "SUB", now: 0 });
    connection.push(join(greeting(2, 0), ready("PUB")));
    drain(connection);
    connection.output();
    connection.subscribe(ascii("A"));
    expect(written(connection)).toEqual(hex('04 0B 09 "SUBSCRIBE" "A"'));
    expect(connection.canPing).toBe(true);
  });

  it.each([
    [245, "04 FF", "00 F6"],
    [246, "06 0000000000000100", "00 F7"],
    [253, "06 0000000000000107", "00 FE"],
    [254, "06 0000000000000108", "00 FF"],
    [255, "06 0000000000000109", "02 0000000000000100"],
    [256, "06 000000000000010A", "02 0000000000000101"],
    [257, "06 000000000000010B", "02 0000000000000102"],
  ])("SU-5: a topic of %i bytes has the right header in both forms", (size, command, asMessage) => {
    const modern = sub();
    modern.subscribe(filled(size));
    expect(written(modern)).toEqual(join(hex(command), hex('09 "SUBSCRIBE"'), filled(size)));
    const old = sub(0);
    old.subscribe(filled(size));
    expect(written(old)).toEqual(join(hex(asMessage), hex("01"), filled(size)));
  });

  it.each([0, 1] as const)("PS-8: as messages, if so asked, also to minor version %i", (minor) => {
    const connection = connected({ socketType: "XSUB" }, "XPUB", minor);
    connection.subscribe(ascii("A"), "message");
    connection.cancel(ascii("A"), "message");
    connection.subscribe(ascii(""), "message");
    expect(written(connection)).toEqual(hex('00 02 01 "A" 00 02 00 "A" 00 01 01'));
  });

  it("as messages, held until the peer's READY has come, in order", () => {
    const connection = new Connection({ socketType: "XSUB", now: 0 });
    connection.subscribe(ascii("A"), "message");
    connection.subscribe(ascii("B"));
    connection.push(join(greeting(), ready("XPUB")));
    connection.next();
    expect(written(connection).slice(-17)).toEqual(hex('00 02 01 "A" 04 0B 09 "SUBSCRIBE" "B"'));
  });

  it("a topic of a megabyte", () => {
    const connection = sub();
    connection.subscribe(filled(1e6));
    const publisher = pub();
    publisher.push(written(connection));
    const [event] = drain(publisher);
    expect(event?.type === "subscription" && Buffer.compare(event.topic, filled(1e6))).toBe(0);
  });

  it("other types have none", () => {
    expect(() => pull().subscribe(ascii("a"))).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => pub().cancel(ascii("a"))).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => sub().subscribe("a" as never)).toThrow(TypeError);
    expect(() => sub().subscribe(ascii("a"), "command" as never)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });
});

describe("HB-1 to HB-3, E9: PING and PONG", () => {
  it.each([
    ["C-61: without a context", '04 07 04 "PING" 00 00', '04 05 04 "PONG"'],
    ["HB-1, C-62: 1 byte", '04 08 04 "PING" 00 00 "1"', '04 06 04 "PONG" "1"'],
    ["C-62: 16 bytes", '04 17 04 "PING" 00 00 "0123456789abcdef"', '04 15 04 "PONG" "0123456789abcdef"'],
    [
      "C-62: 17 bytes are cut to 16",
      '04 18 04 "PING" 00 00 "0123456789abcdefg"',
      '04 15 04 "PONG" "0123456789abcdef"',
    ],
  ])("%s", (_, ping, pong) => {
    const connection = pull();
    expect(receive(connection, ping)).toEqual([]);
    expect(written(connection)).toEqual(hex(pong));
  });

  it("C-63: a PING shorter than 7 bytes ends the connection and is not answered", () => {
    for (const spelled of ['04 05 04 "PING"', '04 06 04 "PING" 00']) {
      const connection = pull();
      expect(receive(connection, spelled)).toEqual(["ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED"]);
      expect(connection.output()).toEqual([]);
    }
  });

  it("HB-7, C-67: a PONG is an event, asked for or not, whatever its context", () => {
    expect(
      receive(pull(), '04 05 04 "PONG" 04 08 04 "PONG" "ctx"', join(hex('04 2D 04 "PONG"'), filled(40))),
    ).toEqual([
      { type: "pong", context: ascii("") },
      { type: "pong", context: ascii("ctx") },
      { type: "pong", context: filled(40) },
    ]);
  });

  it("ping sends its context and our TTL", () => {
    const connection = connected({ socketType: "SUB", heartbeatTimeToLive: 1234 }, "PUB");
    connection.ping();
    connection.ping(ascii("0123456789abcdef"));
    expect(written(connection)).toEqual(
      hex('04 07 04 "PING" 00 0C 04 17 04 "PING" 00 0C "0123456789abcdef"'),
    );
    expect(() => connection.ping(filled(17))).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => connection.ping("a" as never)).toThrow(TypeError);
  });

  it("is answered only when what came before it was handed out and the next event is asked for", () => {
    const connection = pub();
    connection.push(hex('04 0B 09 "SUBSCRIBE" "a" 01 02 01 "b" 00 02 01 "c" 04 07 04 "PING" 00 00'));
    for (const topic of ["a", "b", "c"]) {
      expect(connection.next()).toEqual(subscription(true, topic));
      expect(connection.outputLength).toBe(0);
    }
    expect(connection.next()).toBeNull();
    expect(written(connection)).toEqual(hex('04 05 04 "PONG"'));
  });

  it("a peer that asks and does not read gets no more than 1024 answers at a time", () => {
    const connection = pull();
    receive(connection, hex('04 07 04 "PING" 00 00 '.repeat(2000)));
    expect(connection.outputLength).toBe(1024 * 7);
    connection.output();
    receive(connection, '04 07 04 "PING" 00 00');
    expect(connection.outputLength).toBe(7);
  });

  it("canPing: a peer that announces 3.1, or has sent a PING itself", () => {
    expect(pull().canPing).toBe(true);
    const old = connected({ socketType: "PULL" }, "PUSH", 0);
    expect(old.canPing).toBe(false);
    receive(old, '04 07 04 "PING" 00 00');
    expect(old.canPing).toBe(true);
    expect(new Connection({ socketType: "PULL", now: 0 }).canPing).toBe(false);
  });
});

describe("send", () => {
  it("a message with or without its encoding gives the same bytes", () => {
    const parts = [ascii("topic"), filled(3000), filled(256), ascii("")];
    const wires = [0, 1, 2].map((kind) => {
      const connection = connected({ socketType: "PUSH" }, "PULL");
      const message = new OutgoingMessage(parts);
      if (kind === 2) message.wire((size) => new Uint8Array(size));
      connection.send(kind === 0 ? parts : message);
      expect(connection.outputLength).toBe(2 + 5 + 9 + 3000 + 9 + 256 + 2);
      return written(connection);
    });
    expect(wires[0]).toEqual(
      join(
        hex('01 05 "topic" 03 0000000000000BB8'),
        filled(3000),
        hex("03 0000000000000100"),
        filled(256),
        hex("00 00"),
      ),
    );
    expect(wires[1]).toEqual(wires[0]);
    expect(wires[2]).toEqual(wires[0]);
  });

  it("refuses what is no message", () => {
    const connection = connected({ socketType: "PUSH" }, "PULL");
    expect(() => connection.send([])).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => connection.send(["a" as never])).toThrow(TypeError);
    expect(() => new Connection({ socketType: "PUSH", now: 0 }).send([])).toThrow();
    expect(connection.outputLength).toBe(0);
  });
});

describe("close", () => {
  it("drops everything, and later calls do nothing", () => {
    const connection = sub();
    connection.subscribe(ascii("a"));
    connection.push(hex('00 01 "a"'));
    connection.close();
    expect(connection.stage).toBe("closed");
    connection.push(hex('00 01 "b"'));
    connection.send([ascii("a")]);
    connection.subscribe(ascii("b"));
    connection.ping();
    connection.received(1);
    connection.resume(2);
    connection.tick(1e9);
    connection.close();
    expect(connection.next()).toBeNull();
    expect(connection.output()).toEqual([]);
    expect(connection.outputLength).toBe(0);
    expect(connection.end()).toBeNull();
    expect(connection.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("memory", () => {
  it("parts are views into the chunk; what spans chunks comes from allocate", () => {
    const connection = connected({ socketType: "PULL", allocate: (size) => Buffer.alloc(size) }, "PUSH");
    const chunk = Buffer.from(hex('00 02 "hi" 00 04 "ab"'));
    const [first, second] = receive(connection, chunk, Buffer.from("cd")) as { parts: Uint8Array[] }[];
    expect(first?.parts[0]?.buffer).toBe(chunk.buffer);
    expect(second?.parts[0]).toEqual(Buffer.from("abcd"));
    const [empty] = receive(connection, Buffer.from("0000", "hex")) as { parts: Uint8Array[] }[];
    expect(Buffer.isBuffer(empty?.parts[0])).toBe(true);
  });
});

describe("the text of an error", () => {
  it("shows the peer's bytes escaped", () => {
    const bytes = greeting();
    bytes.set(hex("1b 0a ff 22"), 12);
    const connection = new Connection({ socketType: "PULL", now: 0 });
    connection.push(bytes);
    expect(() => connection.next()).toThrow('the peer uses "\\x1b\\x0a\\xff"", we use NULL');
  });
});
