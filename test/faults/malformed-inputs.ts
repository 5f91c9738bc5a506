/**
 * Malformed and edge inputs to a bound PULL, as `bytes` of interop/peers/bytes.ts spells them; `|` is where the sender waits:
 * first for our READY, then until that has been read. The numbers are those of the conformance list; each is a raw PUSH unless its bytes say otherwise.
 */
export interface Input {
  /** Number and what it is. */
  name: string;
  bytes: string;
  options?: { maxMessageSize?: number };
  /**
   * What becomes of the connection: `open`: takes further messages; `closed`: at once; `timeout`: by the handshake
   * timer; `waiting`: neither, since what came is the beginning of something.
   */
  end: "open" | "closed" | "timeout" | "waiting";
  /** With `closed` and `timeout`: the error that the disconnect carries. */
  code?: string;
  /** The messages that the application gets, parts as Latin-1. Default: none. */
  delivers?: string[][];
  /**
   * What becomes of it at libzmq 4.3.5, where that is something else: `kept` is open, but not for more of the same;
   * `waiting`: it depends on timing.
   */
  libzmq?: { end: "open" | "closed" | "kept" | "timeout" | "waiting"; delivers?: string[][] };
  /** What we send after our READY, spelled as `bytes`; with `ERROR` any ERROR command. Default: nothing. */
  answer?: string;
}

interface GreetingFields {
  padding?: string;
  last?: string;
  version?: string;
  mechanism?: string;
  asServer?: string;
  filler?: string;
}

function greeting(fields: GreetingFields): string {
  const { padding = "00*8", last = "7F", version = "03 01", mechanism = "'NULL' 00*16" } = fields;
  return `FF ${padding} ${last} ${version} ${mechanism} ${fields.asServer ?? "00"} ${fields.filler ?? "00*31"}`;
}

const HI = "00 02 'hi'";
/** libzmq takes it for good. */
const LENIENT: NonNullable<Input["libzmq"]> = { end: "open", delivers: [["hi"]] };
const TYPE_PUSH = "0B 'Socket-Type' 00 00 00 04 'PUSH'";
const TYPE_SUB = "0B 'Socket-Type' 00 00 00 03 'SUB'";

/** A greeting that may look odd and is good. */
function goodGreeting(name: string, fields: GreetingFields): Input {
  return { name, bytes: `${greeting(fields)} | R-PUSH ${HI}`, end: "open", delivers: [["hi"]] };
}

/** A READY that is refused, and the peer told so. */
function refusedReady(name: string, bytes: string, code: string, libzmq?: Input["libzmq"]): Input {
  const input: Input = { name, bytes: `G | ${bytes} ${HI}`, end: "closed", code, answer: "ERROR" };
  return libzmq === undefined ? input : { ...input, libzmq };
}

/** An ERROR instead of READY: whatever the reason, the peer does not want us. */
function errorOf(name: string, reason: string): Input {
  const size = (5 + 2 + reason.length).toString(16).toUpperCase().padStart(2, "0");
  const spelled = `04 ${size} 05 'ERROR' 0${reason.length} '${reason}'`;
  return { name, bytes: `G | ${spelled} R-PUSH ${HI}`, end: "closed", code: "ERR_ZMTP_REFUSED" };
}

/** What ends the connection after a good handshake. The message behind it must not be delivered. */
function fatal(name: string, bytes: string, code: string, libzmq?: Input["libzmq"]): Input {
  const input: Input = { name, bytes: `G | R-PUSH ${bytes} ${HI}`, end: "closed", code };
  return libzmq === undefined ? input : { ...input, libzmq };
}

/** What is ignored after a good handshake. */
function ignored(name: string, bytes: string, libzmq?: Input["libzmq"]): Input {
  const input: Input = { name, bytes: `G | R-PUSH ${bytes} ${HI}`, end: "open", delivers: [["hi"]] };
  return libzmq === undefined ? input : { ...input, libzmq };
}

const NOT_ZMTP_3 = { end: "closed", code: "ERR_ZMTP_VERSION" } as const;
const TYPE = "ERR_ZMTP_SOCKET_TYPE";
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const UNEXPECTED = "ERR_ZMTP_UNEXPECTED_COMMAND";
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const MALFORMED_ERROR = "ERR_ZMTP_MALFORMED_COMMAND_ERROR";
const FRAME = "ERR_ZMTP_FRAME";

export const GREETINGS: readonly Input[] = [
  { name: "C-1, step by step", bytes: `G | R-PUSH | ${HI}`, end: "open", delivers: [["hi"]] },
  {
    name: "C-2, all in one write",
    libzmq: { end: "waiting" },
    bytes: `G R-PUSH ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  {
    name: "C-3, READY and a message in one write",
    bytes: `G | R-PUSH ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  goodGreeting("C-4, minor version 0", { version: "03 00" }),
  goodGreeting("C-4, minor version 9", { version: "03 09" }),
  goodGreeting("C-5, major version 2", { version: "02 01" }),
  goodGreeting("C-5, major version 4", { version: "04 00" }),
  goodGreeting("C-5, major version 255", { version: "FF FF" }),
  { name: "C-6, the signature alone", bytes: "FF 00*8 7F", end: "timeout" },
  { name: "C-7, signature and major version", bytes: "FF 00*8 7F 03", end: "timeout" },
  goodGreeting("C-8, padding", { padding: "'ABCDEFGH'" }),
  goodGreeting("C-9, the signature's last byte is 01", { last: "01" }),
  { name: "C-10, the signature's last byte is even", bytes: "FF 00*8 7E", ...NOT_ZMTP_3 },
  goodGreeting("C-11, filler", { filler: "AA*31" }),
  goodGreeting("C-12, as-server 01", { asServer: "01" }),
  goodGreeting("C-12, as-server FF", { asServer: "FF" }),
  ...["'PLAIN' 00*15", "'null' 00*16", "'NULLX' 00*15", "'NULL' 20*16"].map(
    (mechanism): Input => ({
      name: `C-13, mechanism ${mechanism}`,
      bytes: greeting({ mechanism }),
      end: "closed",
      code: "ERR_ZMTP_MECHANISM_MISMATCH",
    }),
  ),
  { name: "C-14, HTTP", libzmq: { end: "kept" }, bytes: "'GET / HTTP/1.1' 0D 0A", ...NOT_ZMTP_3 },
  {
    name: "E5, a TLS ClientHello",
    libzmq: { end: "kept" },
    bytes: "16 03 01 02 00 01 00 01 FC 03 03",
    ...NOT_ZMTP_3,
  },
  { name: "E5, SSH", libzmq: { end: "kept" }, bytes: "'SSH-2.0-OpenSSH_9.2p1' 0D 0A", ...NOT_ZMTP_3 },
  { name: "C-15, ZMTP 1.0, its first byte", libzmq: { end: "kept" }, bytes: "01", ...NOT_ZMTP_3 },
  {
    name: "C-15, ZMTP 1.0 with a message",
    libzmq: { end: "kept", delivers: [["hi"]] },
    bytes: "01 00 03 00 'hi'",
    ...NOT_ZMTP_3,
  },
  { name: "C-16, ZMTP 1.0 and a frame of size 0", bytes: "01 00 00", ...NOT_ZMTP_3 },
  {
    name: "C-17, a signature with revision 0",
    libzmq: { end: "kept", delivers: [["hi"]] },
    bytes: "FF 00*8 7F 00 08 01 00 03 00 'hi'",
    ...NOT_ZMTP_3,
  },
  {
    name: "C-18, ZMTP 2.0",
    libzmq: { end: "kept", delivers: [["hi"]] },
    bytes: "FF 00*8 7F 01 08 00 00 00 02 'hi'",
    ...NOT_ZMTP_3,
  },
  {
    name: "C-19, ZMTP 2.0 from a SUB",
    libzmq: { end: "kept", delivers: [["hi"]] },
    bytes: "FF 00*8 7F 01 02 00 00 00 02 'hi'",
    ...NOT_ZMTP_3,
  },
  {
    name: "C-20, ZMTP 1.0 with a long identity",
    libzmq: { end: "kept", delivers: [["hi"]] },
    bytes: "FF 00*7 04 00 'abc' 03 00 'hi'",
    ...NOT_ZMTP_3,
  },
  { name: "C-22, 20 bytes and then silence", bytes: "FF 00*8 7F 03 01 'NULL' 00*4", end: "timeout" },
  { name: "C-23, silence", bytes: "", end: "timeout" },
  { name: "C-24, a greeting and then silence", bytes: "G |", end: "timeout" },
  {
    name: "C-25, ZMTP 2.0 and then silence",
    libzmq: { end: "timeout" },
    bytes: "FF 00*8 7F 01",
    ...NOT_ZMTP_3,
  },
].map(
  (input): Input =>
    (input.end === "timeout" ? { ...input, code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" } : input) as Input,
);

export const HANDSHAKES: readonly Input[] = [
  refusedReady("C-26, Socket-Type SUB", "R-SUB", TYPE),
  refusedReady("C-27, Socket-Type push", `04 1A 05 'READY' 0B 'Socket-Type' 00 00 00 04 'push'`, TYPE),
  refusedReady("C-27, Socket-Type empty", `04 16 05 'READY' 0B 'Socket-Type' 00 00 00 00`, TYPE),
  refusedReady(
    "C-27, Socket-Type PUSH and a zero",
    `04 1B 05 'READY' 0B 'Socket-Type' 00 00 00 05 'PUSH' 00`,
    TYPE,
  ),
  refusedReady("C-28, socket-type SUB", `04 19 05 'READY' 0B 'socket-type' 00 00 00 03 'SUB'`, TYPE, LENIENT),
  {
    name: "C-28, sOCKET-tYPE PUSH",
    bytes: `G | 04 1A 05 'READY' 0B 'sOCKET-tYPE' 00 00 00 04 'PUSH' ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  refusedReady("C-29, no properties", "04 06 05 'READY'", TYPE, LENIENT),
  refusedReady(
    "C-30, a property without a name",
    `04 20 05 'READY' ${TYPE_PUSH} 00 00 00 00 01 'x'`,
    METADATA,
    LENIENT,
  ),
  refusedReady(
    "C-31, a property with an ill-formed name",
    `04 25 05 'READY' ${TYPE_PUSH} 05 61 20 62 00 FF 00 00 00 01 'x'`,
    METADATA,
    LENIENT,
  ),
  refusedReady("C-32, one byte 00 too many", `04 1B 05 'READY' ${TYPE_PUSH} 00`, METADATA),
  refusedReady("C-32, one byte 41 too many", `04 1B 05 'READY' ${TYPE_PUSH} 41`, METADATA),
  refusedReady("C-33, a value cut short", `04 22 05 'READY' ${TYPE_PUSH} 02 'XY' 00 00 00 63 'x'`, METADATA),
  refusedReady(
    "C-34, a value of size FFFFFFFF",
    `04 21 05 'READY' ${TYPE_PUSH} 02 'XY' FF FF FF FF`,
    METADATA,
    LENIENT,
  ),
  refusedReady(
    "C-35, a property that ends after its name",
    `04 1D 05 'READY' ${TYPE_PUSH} 02 'XY'`,
    METADATA,
    LENIENT,
  ),
  refusedReady("C-36, a name cut short", `04 1E 05 'READY' ${TYPE_PUSH} FF 'XYZ'`, METADATA),
  refusedReady("C-37, two Socket-Types, the second SUB", `04 2D 05 'READY' ${TYPE_PUSH} ${TYPE_SUB}`, TYPE),
  {
    name: "C-38, the same Socket-Type twice",
    bytes: `G | 04 2E 05 'READY' ${TYPE_PUSH} ${TYPE_PUSH} ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  {
    name: "C-39, unknown properties",
    bytes: `G | 04 33 05 'READY' ${TYPE_PUSH} 05 'X-Foo' 00 00 00 00 08 'Resource' 00 00 00 02 'ab' ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  {
    name: "C-40, READY in a message frame",
    libzmq: LENIENT,
    bytes: `G | 00 1A 05 'READY' ${TYPE_PUSH} ${HI}`,
    end: "closed",
    code: UNEXPECTED,
  },
  {
    name: "C-41, READY with MORE",
    libzmq: LENIENT,
    bytes: `G | 05 1A 05 'READY' ${TYPE_PUSH} ${HI}`,
    end: "closed",
    code: FRAME,
  },
  {
    name: "C-41, READY with reserved flags",
    libzmq: LENIENT,
    bytes: `G | F4 1A 05 'READY' ${TYPE_PUSH} ${HI}`,
    end: "closed",
    code: FRAME,
  },
  {
    name: "C-42, READY in the long form",
    bytes: `G | 06 00*7 1A 05 'READY' ${TYPE_PUSH} ${HI}`,
    end: "open",
    delivers: [["hi"]],
  },
  ignored("C-43, READY twice", "R-PUSH"),
  { name: "C-44, ready", bytes: `G | 04 06 05 'ready' ${HI}`, end: "closed", code: UNEXPECTED },
  { name: "C-44, READYX", bytes: `G | 04 07 06 'READYX' ${HI}`, end: "closed", code: UNEXPECTED },
  { name: "C-45, an empty command before READY", bytes: "G | 04 00 R-PUSH", end: "closed", code: UNEXPECTED },
  { name: "C-45, an empty message before READY", bytes: "G | 00 00 R-PUSH", end: "closed", code: UNEXPECTED },
  {
    name: "C-45, PING before READY",
    bytes: "G | 04 07 04 'PING' 00 00 R-PUSH",
    end: "closed",
    code: UNEXPECTED,
  },
  errorOf("C-46, ERROR 300", "300"),
  errorOf("C-46, ERROR 400", "400"),
  errorOf("C-46, ERROR 500", "500"),
  errorOf("C-47, ERROR 200", "200"),
  errorOf("C-47, ERROR oops", "oops"),
  { name: "C-48, ERROR without a size", bytes: "G | 04 06 05 'ERROR'", end: "closed", code: MALFORMED_ERROR },
  {
    name: "C-48, ERROR cut short",
    bytes: "G | 04 0A 05 'ERROR' 10 'abc'",
    end: "closed",
    code: MALFORMED_ERROR,
  },
  {
    name: "C-49, ERROR with more behind its reason",
    bytes: "G | 04 0D 05 'ERROR' 03 '400zzz'",
    end: "closed",
    code: "ERR_ZMTP_REFUSED",
  },
];

export const TRAFFIC: readonly Input[] = [
  ignored("C-50, ERROR after the handshake", "04 0A 05 'ERROR' 03 '400'"),
  {
    name: "C-51, a READY over maxMessageSize",
    libzmq: { end: "closed", delivers: [] },
    bytes: `G | R-PUSH ${HI}`,
    options: { maxMessageSize: 10 },
    end: "open",
    delivers: [["hi"]],
  },
  {
    name: "C-52, a body of exactly maxMessageSize",
    bytes: "G | R-PUSH 00 1E 61*30",
    options: { maxMessageSize: 30 },
    end: "open",
    delivers: [["a".repeat(30)]],
  },
  {
    name: "C-52, a body one over maxMessageSize, its header alone",
    bytes: `G | R-PUSH ${HI} 00 1F`,
    options: { maxMessageSize: 30 },
    end: "closed",
    code: "ERR_ZMTP_FRAME_TOO_LARGE",
    delivers: [["hi"]],
  },
  {
    name: "C-53, two parts that only together are over maxMessageSize",
    bytes: "G | R-PUSH 01 14 61*20 00 14 62*20",
    options: { maxMessageSize: 30 },
    end: "open",
    delivers: [["a".repeat(20), "b".repeat(20)]],
  },
  {
    name: "C-54, a command over maxMessageSize",
    bytes: "G | R-PUSH 04 2C 03 'FOO' 00*40",
    options: { maxMessageSize: 30 },
    end: "closed",
    code: "ERR_ZMTP_FRAME_TOO_LARGE",
  },
  {
    name: "C-55, an empty message, short and long",
    bytes: "G | R-PUSH 00 00 02 00*8",
    end: "open",
    delivers: [[""], [""]],
  },
  {
    name: "C-56, 5 and 255 bytes in the long form, 255 in the short one",
    bytes: "G | R-PUSH 02 00*7 05 'hello' 02 00*7 FF 61*255 00 FF 62*255",
    end: "open",
    delivers: [["hello"], ["a".repeat(255)], ["b".repeat(255)]],
  },
  fatal("C-57, reserved flags on a message", "F8 02 'no'", FRAME, {
    end: "open",
    delivers: [["no"], ["hi"]],
  }),
  fatal("C-57, reserved flags and MORE", "09 02 'no'", FRAME, { end: "open", delivers: [["no", "hi"]] }),
  fatal("C-58, a command with MORE", "05 04 03 'FOO'", FRAME, LENIENT),
  ignored("C-59, an unknown command", "04 08 03 'FOOdata'"),
  {
    name: "C-59, an unknown command between the parts of a message",
    bytes: "G | R-PUSH 01 01 'a' 04 08 03 'FOOdata' 01 00 04 04 03 'BAR' 00 01 'b'",
    end: "open",
    delivers: [["a", "", "b"]],
  },
  ignored("C-60, a command without a body", "04 00"),
  ignored("C-60, a command with an empty name", "04 01 00"),
  fatal("C-60, a command name longer than the body", "04 04 20 'ABC'", MALFORMED, LENIENT),
  {
    name: "C-61, PING",
    bytes: "G | R-PUSH 04 07 04 'PING' 00 00",
    end: "open",
    answer: "04 05 04 'PONG'",
  },
  {
    name: "C-61, PING between the parts of a message",
    bytes: "G | R-PUSH 01 01 'a' 04 07 04 'PING' 00 00 00 01 'b'",
    end: "open",
    delivers: [["a", "b"]],
    answer: "04 05 04 'PONG'",
  },
  {
    name: "C-62, PING with a context of 16 bytes",
    bytes: "G | R-PUSH 04 17 04 'PING' 00 00 '0123456789abcdef'",
    end: "open",
    answer: "04 15 04 'PONG' '0123456789abcdef'",
  },
  {
    name: "C-62, PING with a context of 17 bytes",
    bytes: "G | R-PUSH 04 18 04 'PING' 00 00 '0123456789abcdefX'",
    end: "open",
    answer: "04 15 04 'PONG' '0123456789abcdef'",
  },
  fatal("C-63, PING without a TTL", "04 05 04 'PING'", MALFORMED, LENIENT),
  fatal("C-63, PING with half a TTL", "04 06 04 'PING' 00", MALFORMED, LENIENT),
  {
    name: "C-64, PING in a message frame",
    bytes: "G | R-PUSH 00 07 04 'PING' 00 00",
    end: "open",
    delivers: [["\x04PING\0\0"]],
  },
  {
    name: "C-65, PING with a TTL of 200 ms, then silence",
    bytes: "G | R-PUSH 04 07 04 'PING' 00 02",
    end: "closed",
    code: "ERR_ZMTP_HEARTBEAT_TIMEOUT",
    answer: "04 05 04 'PONG'",
  },
  {
    name: "C-66, PING with a TTL of 65.6 s, then silence",
    libzmq: { end: "closed" },
    bytes: "G | R-PUSH 04 07 04 'PING' 02 90",
    end: "waiting",
    answer: "04 05 04 'PONG'",
  },
  ignored("C-67, PONG unasked for", "04 05 04 'PONG'"),
  ignored("C-67, PONG with 40 bytes", "04 2D 04 'PONG' 00*40"),
  ignored("C-68, SUBSCRIBE to a PULL", "04 0D 09 'SUBSCRIBE' 'abc'", {
    end: "open",
    delivers: [["\tSUBSCRIBEabc"], ["hi"]],
  }),
  ignored("C-68, CANCEL to a PULL", "04 0A 06 'CANCEL' 'abc'", {
    end: "open",
    delivers: [["\x06CANCELabc"], ["hi"]],
  }),
  fatal("C-69, a size of 2^63", "02 80 00*7", FRAME),
  fatal("C-69, a size of 2^64-1", "02 FF*8", FRAME),
  fatal(
    "C-69, a size of 2^40, over the default of maxMessageBytes",
    "02 00*2 01 00*5",
    "ERR_ZMTP_MESSAGE_TOO_LARGE",
  ),
  {
    name: "C-69, a size just under 2^30 of which little comes",
    bytes: "G | R-PUSH 02 00*4 3F FF 00*2 'some'",
    end: "waiting",
  },
];
