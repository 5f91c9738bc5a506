import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Connection, ProtocolError, type SocketType, type Stage, ZmqError } from "../../src/zmtp/index.ts";
import { type Received, step } from "../../src/zmtp/stage.ts";
import { greeting, ready } from "../support/greeting.ts";
import { ascii, hex, join } from "../support/hex.ts";
import { drain, written } from "../support/link.ts";
import { describeEvent, latin1, readFrames } from "../support/wire-end.ts";

/** Every stage; `Record` makes the compiler ask for a new one. */
const STAGES = Object.keys({
  greeting: true,
  handshake: true,
  traffic: true,
  closed: true,
} satisfies Record<Stage, true>) as Stage[];

const NEXT: Readonly<Record<Received, Readonly<Record<Stage, Stage | "error">>>> = {
  greeting: { greeting: "handshake", handshake: "error", traffic: "error", closed: "error" },
  command: { greeting: "error", handshake: "handshake", traffic: "traffic", closed: "error" },
  ready: { greeting: "error", handshake: "traffic", traffic: "error", closed: "error" },
  ERROR: { greeting: "error", handshake: "closed", traffic: "error", closed: "error" },
  message: { greeting: "error", handshake: "error", traffic: "traffic", closed: "error" },
  end: { greeting: "closed", handshake: "closed", traffic: "closed", closed: "closed" },
};

describe("RFC 37, Formal Grammar: the steps from stage to stage", () => {
  const pairs = (Object.keys(NEXT) as Received[]).flatMap((received) =>
    STAGES.map((stage): [Received, Stage] => [received, stage]),
  );
  it.each(pairs)("%s during %s", (received, stage) => {
    const expected = NEXT[received][stage];
    if (expected !== "error") expect(step(stage, received)).toBe(expected);
    else {
      const error = expect.objectContaining({ name: "ProtocolError", code: "ERR_ZMTP_UNEXPECTED_COMMAND" });
      expect(() => step(stage, received)).toThrow(error);
    }
  });
});

const AFTER_HANDSHAKE = 5000;
const FAR = 1e9;

/** A PUB in the given stage, its greeting and READY taken away. */
function inStage(stage: Stage, socketType: SocketType = "PUB"): Connection {
  const connection = new Connection({
    socketType,
    now: 0,
    handshakeInterval: AFTER_HANDSHAKE,
    heartbeatInterval: 1000,
  });
  const theirs = { PUB: "SUB", SUB: "PUB", PULL: "PUSH" }[socketType as "PUB"];
  if (stage !== "greeting") connection.push(greeting());
  if (stage === "traffic") connection.push(ready(theirs));
  connection.next();
  if (stage === "closed") connection.close();
  connection.output();
  if (connection.stage !== stage) throw new Error(`in ${connection.stage}`);
  return connection;
}

/** What is done to the connection: bytes of the peer, or a call. */
type Input = Uint8Array | ((connection: Connection) => unknown);

/**
 * After each input, by stage before it: the stage, then what came of it: events, `ERR_...` or another error's code, and what left
 * as `> NAME` of a command or `> message`. The bytes are for a PUB unless the row's name says another type.
 */
type Row = readonly [input: Input, greeting: string, handshake: string, traffic: string, closed: string];

const VERSION = "closed ERR_ZMTP_VERSION";
const FRAME = "closed ERR_ZMTP_FRAME";
const MALFORMED = "closed ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const MALFORMED_ERROR = "closed ERR_ZMTP_MALFORMED_COMMAND_ERROR";
const UNEXPECTED = "closed ERR_ZMTP_UNEXPECTED_COMMAND";

function other(at: number, ...bytes: number[]): Uint8Array {
  const changed = greeting();
  changed.set(bytes, at);
  return changed;
}

const TYPE = hex('0B "Socket-Type" 00 00 00 03 "SUB"');
const readyOf = (metadata: Uint8Array): Uint8Array =>
  join(Uint8Array.of(4, 6 + metadata.length), hex('05 "READY"'), metadata);

const ROWS: Readonly<Record<string, Row>> = {
  // GR-1 to GR-15. During handshake and traffic a greeting is a frame with reserved flags.
  "a greeting of 3.1": [greeting(), "handshake > READY", FRAME, FRAME, "closed"],
  "a greeting of 3.0": [greeting(3, 0), "handshake > READY", FRAME, FRAME, "closed"],
  "a greeting of 2.0 as if 3.x": [greeting(2, 0), "handshake > READY", FRAME, FRAME, "closed"],
  "a greeting of 4.7": [greeting(4, 7), "handshake > READY", FRAME, FRAME, "closed"],
  "a greeting with other padding": [other(1, 1, 2, 3), "handshake > READY", FRAME, FRAME, "closed"],
  "a greeting with as-server and filler": [other(32, 1, 9, 9), "handshake > READY", FRAME, FRAME, "closed"],
  "half a greeting": [greeting().subarray(0, 40), "greeting", FRAME, FRAME, "closed"],
  "a first byte that is no greeting": [hex('"GET"'), VERSION, FRAME, FRAME, "closed"],
  "a signature of ZMTP 1.0": [other(9, 0x7e), VERSION, FRAME, FRAME, "closed"],
  "revision 0 (ZMTP 1.0)": [other(10, 0), VERSION, FRAME, FRAME, "closed"],
  "revision 1 (ZMTP 2.0)": [other(10, 1), VERSION, FRAME, FRAME, "closed"],
  "another mechanism": [
    other(12, ...ascii("PLAIN")),
    "closed ERR_ZMTP_MECHANISM_MISMATCH",
    FRAME,
    FRAME,
    "closed",
  ],

  // NU-1 to NU-8. What comes late is ignored: FR-9.
  READY: [ready("SUB"), VERSION, "traffic ready", "traffic", "closed"],
  "READY without Socket-Type": [
    readyOf(hex("")),
    VERSION,
    "closed ERR_ZMTP_SOCKET_TYPE > ERROR",
    "traffic",
    "closed",
  ],
  "READY of a PULL": [ready("PULL"), VERSION, "closed ERR_ZMTP_SOCKET_TYPE > ERROR", "traffic", "closed"],
  "READY with cut metadata": [
    readyOf(TYPE.subarray(0, -1)),
    VERSION,
    "closed ERR_ZMTP_INVALID_METADATA > ERROR",
    "traffic",
    "closed",
  ],
  ERROR: [hex('04 0A 05 "ERROR" 03 "400"'), VERSION, "closed refused", "traffic", "closed"],
  "ERROR without a reason's size": [hex('04 06 05 "ERROR"'), VERSION, MALFORMED_ERROR, "traffic", "closed"],

  // FR-9, FR-10, SU-1.
  SUBSCRIBE: [hex('04 0B 09 "SUBSCRIBE" "a"'), VERSION, UNEXPECTED, "traffic +a", "closed"],
  CANCEL: [hex('04 08 06 "CANCEL" "a"'), VERSION, UNEXPECTED, "traffic -a", "closed"],
  "PULL: SUBSCRIBE": [hex('04 0B 09 "SUBSCRIBE" "a"'), VERSION, UNEXPECTED, "traffic", "closed"],
  "PULL: CANCEL": [hex('04 08 06 "CANCEL" "a"'), VERSION, UNEXPECTED, "traffic", "closed"],
  PING: [hex('04 08 04 "PING" 00 00 "x"'), VERSION, UNEXPECTED, "traffic > PONG", "closed"],
  "PING without a TTL": [hex('04 06 04 "PING" 00'), VERSION, UNEXPECTED, MALFORMED, "closed"],
  PONG: [hex('04 06 04 "PONG" "x"'), VERSION, UNEXPECTED, "traffic pong x", "closed"],
  "an unknown command": [hex('04 04 03 "FOO"'), VERSION, UNEXPECTED, "traffic", "closed"],
  "a command without a name": [hex("04 02 00 01"), VERSION, UNEXPECTED, "traffic", "closed"],
  "an empty command": [hex("04 00"), VERSION, UNEXPECTED, "traffic", "closed"],
  "a command with a name beyond its end": [hex('04 02 05 "A"'), VERSION, MALFORMED, MALFORMED, "closed"],

  // FR-1 to FR-8.
  "a message": [hex('00 01 "m"'), VERSION, UNEXPECTED, "traffic message m", "closed"],
  "a part with MORE": [hex('01 01 "m"'), VERSION, UNEXPECTED, "traffic", "closed"],
  "a message in two parts": [hex('01 01 "m" 00 00'), VERSION, UNEXPECTED, "traffic message m|", "closed"],
  "a subscription as a message": [hex('00 02 01 "a"'), VERSION, UNEXPECTED, "traffic +a", "closed"],
  "PULL: a message that begins with 1": [
    hex('00 02 01 "a"'),
    VERSION,
    UNEXPECTED,
    "traffic message \x01a",
    "closed",
  ],
  "half a frame": [hex('04 09 "ab"'), VERSION, "handshake", "traffic", "closed"],
  "a command with MORE": [hex("05 00"), VERSION, FRAME, FRAME, "closed"],
  "reserved flags": [hex("08 00"), VERSION, FRAME, FRAME, "closed"],
  "a size that nothing has": [hex("02 FF FF FF FF FF FF FF FF"), VERSION, FRAME, FRAME, "closed"],
  "a frame of 8193 bytes": [
    hex("06 00 00 00 00 00 00 20 01"),
    VERSION,
    "closed ERR_ZMTP_FRAME_TOO_LARGE",
    "traffic",
    "closed",
  ],
  "no bytes": [hex(""), "greeting", "handshake", "traffic", "closed"],

  "the end of the stream": [(peer) => peer.end(), "closed", "closed", "closed", "closed"],
  "the end of the stream in a frame": [
    (peer) => {
      peer.push(hex("00"));
      drain(peer);
      return peer.end();
    },
    VERSION,
    "closed ERR_ZMTP_TRUNCATED",
    "closed ERR_ZMTP_TRUNCATED",
    "closed",
  ],
  "the end of the stream between two parts": [
    (peer) => {
      peer.push(hex("01 00"));
      drain(peer);
      return peer.end();
    },
    VERSION,
    UNEXPECTED,
    "closed ERR_ZMTP_TRUNCATED",
    "closed",
  ],

  // Calls. What may not leave yet is held (NU-4), and leaves when the peer's READY has come.
  send: [(peer) => peer.send([ascii("m")]), "greeting", "handshake", "traffic > message", "closed"],
  "send of nothing": [
    (peer) => peer.send([]),
    "greeting EINVAL",
    "handshake EINVAL",
    "traffic EINVAL",
    "closed EINVAL",
  ],
  "SUB: subscribe": [
    (peer) => peer.subscribe(ascii("a")),
    "greeting",
    "handshake",
    "traffic > SUBSCRIBE",
    "closed",
  ],
  "SUB: cancel": [(peer) => peer.cancel(ascii("a")), "greeting", "handshake", "traffic > CANCEL", "closed"],
  "subscribe by a PUB": [
    (peer) => peer.subscribe(ascii("a")),
    "greeting EINVAL",
    "handshake EINVAL",
    "traffic EINVAL",
    "closed EINVAL",
  ],
  ping: [(peer) => peer.ping(ascii("x")), "greeting", "handshake", "traffic > PING", "closed"],
  "ping with 17 bytes": [
    (peer) => peer.ping(new Uint8Array(17)),
    "greeting EINVAL",
    "handshake EINVAL",
    "traffic EINVAL",
    "closed EINVAL",
  ],
  "send, then the peer's greeting and READY": [
    (peer) => {
      peer.send([ascii("m")]);
      if (peer.stage === "greeting") peer.push(greeting());
      peer.push(ready("SUB"));
      drain(peer);
    },
    "traffic > READY > message",
    "traffic > message",
    "traffic > message",
    "closed",
  ],
  close: [(peer) => peer.close(), "closed", "closed", "closed", "closed"],
  "close with output waiting": [
    (peer) => {
      peer.ping();
      peer.close();
    },
    "closed",
    "closed",
    "closed",
    "closed",
  ],
  suspend: [(peer) => peer.suspend(), "greeting", "handshake", "traffic", "closed"],
  resume: [(peer) => peer.resume(1), "greeting", "handshake", "traffic", "closed"],
  received: [(peer) => peer.received(1), "greeting", "handshake", "traffic", "closed"],

  // GR-18, HB: time. A deadline is judged at the second tick after it.
  "tick before anything is due": [(peer) => peer.tick(1), "greeting", "handshake", "traffic", "closed"],
  "tick at the heartbeat": [(peer) => peer.tick(1000), "greeting", "handshake", "traffic > PING", "closed"],
  "one tick long after every deadline": [
    (peer) => peer.tick(FAR),
    "greeting",
    "handshake",
    "traffic > PING",
    "closed",
  ],
  "two ticks after the handshake's": [
    (peer) => {
      peer.tick(AFTER_HANDSHAKE);
      peer.tick(AFTER_HANDSHAKE + 10);
    },
    "closed ERR_ZMTP_HANDSHAKE_TIMEOUT",
    "closed ERR_ZMTP_HANDSHAKE_TIMEOUT",
    "traffic > PING",
    "closed",
  ],
  "ticks after the heartbeat's": [
    (peer) => {
      for (const now of [1000, 2000, 2010]) peer.tick(now);
    },
    "greeting",
    "handshake",
    "closed ERR_ZMTP_HEARTBEAT_TIMEOUT",
    "closed",
  ],
};

function described(stage: Stage, input: Input, socketType: SocketType): string {
  const connection = inStage(stage, socketType);
  const words: string[] = [];
  let error: string | null = null;
  try {
    if (input instanceof Uint8Array) {
      connection.push(input.slice());
      words.push(...drain(connection).map(describeEvent));
    } else {
      const returned = input(connection);
      if (returned instanceof ProtocolError) error = returned.code;
    }
  } catch (thrown) {
    if (!(thrown instanceof ZmqError)) throw thrown;
    error = thrown.code;
  }
  if (error !== null) words.push(error);
  for (const { flags, body } of readFrames(written(connection)).frames) {
    words.push(`> ${(flags & 4) !== 0 ? latin1(body.subarray(1, 1 + (body[0] as number))) : "message"}`);
  }
  const isOver = connection.stage === "closed";
  if (isOver !== (connection.wakeAt === Number.POSITIVE_INFINITY)) words.push("and a deadline");
  return [connection.stage, ...words].join(" ");
}

describe.each(Object.entries(ROWS))("GR, FR, NU: %s", (name, [input, ...expected]) => {
  it.each(STAGES.map((stage, i): [Stage, string] => [stage, expected[i] as string]))(
    "during %s: %s",
    (stage, row) => {
      const socketType = (/^([A-Z]+): /.exec(name)?.[1] ?? "PUB") as SocketType;
      expect(described(stage, input, socketType)).toBe(row);
    },
  );
});

describe("the table", () => {
  it("has a row for every command that the engine's source knows by name", () => {
    const folder = new URL("../../src/zmtp/", import.meta.url);
    const source = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), "utf8"))
      .join("\n");
    const known = [...source.matchAll(/(?:case |name [=!]== )"([A-Z]+)"/g)].map(([, name]) => name as string);
    expect(known).toContain("PING");
    expect([...new Set(known)].filter((name) => !(name in ROWS))).toEqual([]);
  });

  it("has a row for every call that a Connection has", () => {
    const rows = Object.keys(ROWS).join("\n");
    const calls = Object.getOwnPropertyNames(Connection.prototype).filter((name) => {
      const { value } = Object.getOwnPropertyDescriptor(Connection.prototype, name) as PropertyDescriptor;
      return typeof value === "function" && name !== "constructor";
    });
    // Bytes go through these in every row.
    const through = ["push", "filled", "space", "keep", "next", "output"];
    const told: Record<string, string> = { end: "the end of the stream" };
    const missing = calls.filter((name) => !through.includes(name) && !rows.includes(told[name] ?? name));
    expect(missing).toEqual([]);
  });
});
