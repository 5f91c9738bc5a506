import { describe, expect, it } from "vitest";
import { type Decoded, type DecodeOptions, decode, everyCut, spelled, utf8 } from "../../support/resp.ts";

/** What the bytes give, which has to be the same however they are cut. */
function read(wire: string, options: DecodeOptions = {}): string[] {
  const [whole, ...others] = everyCut(utf8(wire)).map((chunks) => outcome(decode(chunks, options)));
  for (const other of others) expect(other).toEqual(whole);
  return whole as string[];
}

function outcome({ values, error, isPartial }: Decoded): string[] {
  const end = error === null ? [] : [`${error.reason} @${error.offset}`];
  return [...values.map(spelled), ...end, ...(isPartial ? ["..."] : [])];
}

describe("every type of RESP2 and RESP3, however cut", () => {
  it.each<[string, string, string]>([
    ["simple string", "+OK\r\n", '"OK"'],
    ["empty simple string", "+\r\n", '""'],
    ["simple string beyond ASCII", "+gr\u{fc}\u{df}e \u{1f600}\r\n", '"gr\u{fc}\u{df}e \u{1f600}"'],
    ["long simple string", `+${"status ".repeat(20)}\r\n`, JSON.stringify("status ".repeat(20))],
    ["simple string that looks like a number", "+12\r\n", '"12"'],
    ["error", "-WRONGTYPE Operation against\r\n", "WRONGTYPE (WRONGTYPE Operation against)"],
    ["error without a code", "-no such thing\r\n", "ERR (no such thing)"],
    ["error with nothing but a code", "-NOAUTH\r\n", "NOAUTH (NOAUTH)"],
    ["empty error", "-\r\n", "ERR ()"],
    ["integer", ":1000\r\n", "1000"],
    ["integer with a sign", ":+7\r\n", "7"],
    ["negative integer", ":-7\r\n", "-7"],
    ["integer with leading zeros", ":-007\r\n", "-7"],
    ["zero without a sign", ":-0\r\n", "0"],
    ["2^53 - 1", ":9007199254740991\r\n", "9007199254740991"],
    ["2^53", ":9007199254740992\r\n", "9007199254740992n"],
    ["-(2^53 - 1)", ":-9007199254740991\r\n", "-9007199254740991"],
    ["-2^53", ":-9007199254740992\r\n", "-9007199254740992n"],
    ["largest integer", ":9223372036854775807\r\n", "9223372036854775807n"],
    ["smallest integer", ":-9223372036854775808\r\n", "-9223372036854775808n"],
    ["bulk string", "$5\r\nhello\r\n", "<hello>"],
    ["empty bulk string", "$0\r\n\r\n", "<>"],
    ["bulk string of line ends", "$4\r\n\r\n\r\n\r\n", "<\r\n\r\n>"],
    ["null of RESP2", "$-1\r\n", "null"],
    ["null array of RESP2", "*-1\r\n", "null"],
    ["array", "*3\r\n:1\r\n$1\r\na\r\n+b\r\n", '[1, <a>, "b"]'],
    ["empty array", "*0\r\n", "[]"],
    ["nested arrays", "*2\r\n*1\r\n*0\r\n*2\r\n:1\r\n*-1\r\n", "[[[]], [1, null]]"],
    ["array of nulls", "*3\r\n$-1\r\n_\r\n*-1\r\n", "[null, null, null]"],
    ["array with an error", "*2\r\n:1\r\n-ERR no\r\n", "[1, ERR (ERR no)]"],
    ["null", "_\r\n", "null"],
    ["true", "#t\r\n", "true"],
    ["false", "#f\r\n", "false"],
    ["double", ",1.23\r\n", "1.23"],
    ["double without a fraction", ",10\r\n", "10"],
    ["double with an exponent", ",-1.5E+300\r\n", "-1.5e+300"],
    ["double that is not rounded twice", ",9007199254740993.0\r\n", "9007199254740992"],
    ["double 1e21", ",1e21\r\n", "1e+21"],
    ["double -0", ",-0\r\n", "-0"],
    ["infinity", ",inf\r\n", "Infinity"],
    ["negative infinity", ",-inf\r\n", "-Infinity"],
    ["nan", ",nan\r\n", "NaN"],
    ["nan of Redis before 7.2", ",-nan\r\n", "NaN"],
    ["NAN", ",NAN\r\n", "NaN"],
    ["nan with characters", ",nan(0x8000_ab)\r\n", "NaN"],
    [
      "big number",
      "(3492890328409238509324850943850943825024385\r\n",
      "3492890328409238509324850943850943825024385n",
    ],
    ["big number with a sign", "(+12\r\n", "12n"],
    ["negative big number", "(-12\r\n", "-12n"],
    ["bulk error", "!21\r\nSYNTAX invalid syntax\r\n", "SYNTAX (SYNTAX invalid syntax)"],
    ["bulk error of two lines", "!8\r\nERR a\r\nb\r\n", "ERR (ERR a\r\nb)"],
    ["verbatim string", "=15\r\ntxt:Some string\r\n", '"Some string"'],
    ["empty verbatim string", "=4\r\nmkd:\r\n", '""'],
    ["map", "%2\r\n+a\r\n:1\r\n$1\r\nb\r\n*1\r\n:2\r\n", '{"a": 1, <b>: [2]}'],
    ["empty map", "%0\r\n", "{}"],
    ["map with a map for a key", "%1\r\n%1\r\n:1\r\n:2\r\n_\r\n", "{{1: 2}: null}"],
    ["map with __proto__", "%1\r\n$9\r\n__proto__\r\n%1\r\n+x\r\n:1\r\n", '{<__proto__>: {"x": 1}}'],
    ["set", "~2\r\n:1\r\n:2\r\n", "[1, 2]"],
    ["set with duplicates", "~3\r\n:1\r\n:1\r\n+x\r\n", '[1, 1, "x"]'],
    ["empty set", "~0\r\n", "[]"],
    ["attribute", "|1\r\n+ttl\r\n:3600\r\n+OK\r\n", '"OK"'],
    ["empty attribute", "|0\r\n+OK\r\n", '"OK"'],
    ["attribute of an attribute", "|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n:1\r\n", "1"],
    [
      "attributes inside an array",
      "*3\r\n:1\r\n|1\r\n+ttl\r\n:9\r\n:2\r\n|1\r\n|0\r\n+a\r\n%0\r\n:3\r\n",
      "[1, 2, 3]",
    ],
    [
      "attributes inside a map",
      "%1\r\n|1\r\n+a\r\n+b\r\n+key\r\n|1\r\n+a\r\n*0\r\n+value\r\n",
      '{"key": "value"}',
    ],
    ["attribute of an empty array", "*1\r\n|1\r\n+a\r\n+b\r\n*0\r\n", "[[]]"],
    ["push", ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n", "push message [<c>, <hi>]"],
    ["push of a simple string", ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", "push invalidate [[<k>]]"],
    ["push of nothing but a kind", ">1\r\n$4\r\npong\r\n", "push pong []"],
    ["push whose kind is streamed", ">2\r\n$?\r\n;2\r\nab\r\n;0\r\n_\r\n", "push ab [null]"],
    ["push with an attribute before it", "|1\r\n+a\r\n+b\r\n>2\r\n+x\r\n:1\r\n", "push x [1]"],
    ["push with an attribute before its kind", ">2\r\n|1\r\n+a\r\n+b\r\n$1\r\nx\r\n:1\r\n", "push x [1]"],
    ["push of nulls", ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n", "push unsubscribe [null, 0]"],
    ["streamed string", "$?\r\n;4\r\nHell\r\n;2\r\no \r\n;5\r\nworld\r\n;0\r\n", "<Hello world>"],
    ["streamed string of nothing", "$?\r\n;0\r\n", "<>"],
    ["streamed array", "*?\r\n:1\r\n*?\r\n.\r\n:2\r\n.\r\n", "[1, [], 2]"],
    ["streamed set", "~?\r\n+a\r\n.\r\n", '["a"]'],
    ["streamed map", "%?\r\n+a\r\n:1\r\n+b\r\n:2\r\n.\r\n", '{"a": 1, "b": 2}'],
    ["streamed string in a streamed array", "*?\r\n$?\r\n;1\r\nx\r\n;0\r\n.\r\n", "[<x>]"],
  ])("%s", (_, wire, expected) => {
    expect(read(wire)).toEqual([expected]);
    expect(read(`${wire}:1\r\n`)).toEqual([expected, "1"]);
  });

  it("a push stands between replies, one without a kind is skipped", () => {
    expect(read(":1\r\n>2\r\n+a\r\n:2\r\n:3\r\n")).toEqual(["1", "push a [2]", "3"]);
    for (const push of [
      ">0\r\n",
      ">1\r\n:1\r\n",
      ">2\r\n_\r\n+a\r\n",
      ">1\r\n*1\r\n+a\r\n",
      ">3\r\n#t\r\n%0\r\n:1\r\n",
    ])
      expect(read(`${push}+OK\r\n`)).toEqual(['"OK"']);
  });

  it("elements that are too many are values of their own", () => {
    expect(read("*1\r\n:1\r\n:2\r\n%1\r\n:3\r\n:4\r\n:5\r\n")).toEqual(["[1]", "2", "{3: 4}", "5"]);
  });
});

describe("arrays as pushes", () => {
  const options = { arraysArePushes: true };

  it("an array that begins with a string is one", () => {
    const message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n";
    expect(read(message, options)).toEqual(["push message [<c>, <hi>]"]);
    expect(read("*2\r\n+pong\r\n$0\r\n\r\n", options)).toEqual(["push pong [<>]"]);
    expect(read("*?\r\n+pong\r\n:1\r\n.\r\n", options)).toEqual(["push pong [1]"]);
    expect(read(message)).toEqual(["[<message>, <c>, <hi>]"]);
  });

  it("another array is none, nor one inside another value, nor a set", () => {
    expect(read("*0\r\n*-1\r\n", options)).toEqual(["[]", "null"]);
    expect(read("*2\r\n:1\r\n*2\r\n+a\r\n+b\r\n", options)).toEqual(['[1, ["a", "b"]]']);
    expect(read("*2\r\n_\r\n$1\r\nx\r\n", options)).toEqual(["[null, <x>]"]);
    expect(read("*?\r\n:1\r\n:2\r\n.\r\n", options)).toEqual(["[1, 2]"]);
    expect(read("~1\r\n+a\r\n", options)).toEqual(['["a"]']);
  });
});

describe("bytes that are no RESP, or more than is allowed: one error, at one place, however cut", () => {
  const line = "abcd".repeat(8);
  const deep = (levels: number): string => "*1\r\n".repeat(levels);

  it.each<[string, string, string, DecodeOptions?]>([
    ["unknown type", "@oops\r\n", "unknown type byte @0"],
    ["unknown type alone", "@", "unknown type byte @0"],
    ["unknown type before a number", "A1\r\n", "unknown type byte @0"],
    ["unknown type in a streamed string", "$?\r\nA1\r\n", "unknown type byte @4"],
    ["an inline command", "PING\r\n", "unknown type byte @0"],
    ["unknown type in an array", "*2\r\n:1\r\n\u{0}", "unknown type byte @8"],
    ["length that is none", "$abc\r\n", "no length @0"],
    ["no length", "$\r\n", "no length @0"],
    ["length with a sign", "$+1\r\n", "no length @0"],
    ["$-2", "$-2\r\n", "no length @0"],
    ["*-2", "*-2\r\n", "no length @0"],
    ["%-1", "%-1\r\n", "no length @0"],
    ["=-1", "=-1\r\n", "no length @0"],
    [">-1", ">-1\r\n", "no length @0"],
    ["$-1x", "$-1x\r\n", "no length @0"],
    ["length with too many digits", `$${"3".padStart(16, "0")}\r\nabc\r\n`, "no length @0"],
    ["a count with a letter", "*1x\r\n", "no length @0"],
    ["a push that is streamed", ">?\r\n", "no length @0"],
    ["an attribute that is streamed", "|?\r\n", "no length @0"],
    ["no line end behind a string", "$3\r\nabcXX", "no CR and LF behind a string @7"],
    ["a longer string than announced", "*1\r\n$2\r\nabc\r\n", "no CR and LF behind a string @10"],
    ["LF behind a string", "$3\r\nabc\n\n", "no CR and LF behind a string @7"],
    ["integer with a letter", ":12a\r\n", "no integer @0"],
    ["no integer", ":\r\n", "no integer @0"],
    ["a sign alone", ":-\r\n", "no integer @0"],
    ["integer with a blank", ": 1\r\n", "no integer @0"],
    ["integer with a fraction", ":1.0\r\n", "no integer @0"],
    ["integer of more than 64 bits", ":9223372036854775808\r\n", "no integer @0"],
    ["integer of more than 64 bits below zero", ":-9223372036854775809\r\n", "no integer @0"],
    ["bulk string over the limit", "$1099511627776\r\n", "string of more than 536870912 bytes @0"],
    [
      "bulk string over its limit",
      "$11\r\nabcdefghijk\r\n",
      "string of more than 10 bytes @0",
      { maxBulk: 10 },
    ],
    ["bulk error over the limit", "!11\r\n", "string of more than 10 bytes @0", { maxBulk: 10 }],
    ["verbatim string over the limit", "=11\r\n", "string of more than 10 bytes @0", { maxBulk: 10 }],
    [
      "streamed string over the limit",
      "$?\r\n;6\r\nabcdef\r\n;5\r\n",
      "string of more than 10 bytes @16",
      { maxBulk: 10 },
    ],
    ["text longer than any", "=268435441\r\n", "text longer than any string can be @0"],
    ["count beyond the limit", "*5000000000\r\n", "value of more than 16777216 elements @0"],
    ["count of a map beyond the limit", "%8388609\r\n", "value of more than 16777216 elements @0"],
    ["count with 30 digits", `*${"9".repeat(30)}\r\n`, "no length @0"],
    [
      "elements beyond the limit in all",
      "*3\r\n*2\r\n:1\r\n:2\r\n*2\r\n",
      "value of more than 6 elements @16",
      { maxElements: 6 },
    ],
    [
      "streamed elements beyond the limit",
      "*?\r\n:1\r\n:2\r\n:3\r\n",
      "value of more than 2 elements @16",
      { maxElements: 2 },
    ],
    [
      "elements of an attribute beyond the limit",
      "*2\r\n|2\r\n",
      "value of more than 5 elements @4",
      { maxElements: 5 },
    ],
    ["too deep", deep(129), "aggregates more than 128 deep @512"],
    ["very deep", deep(20_000).slice(0, 600), "aggregates more than 128 deep @512"],
    [
      "deep in maps, sets and attributes",
      "%1\r\n~1\r\n|1\r\n*0\r\n",
      "aggregates more than 3 deep @12",
      { maxDepth: 3 },
    ],
    ["LF without CR", "+OK\n", "LF without CR @0"],
    ["LF inside a simple string", "+O\nK\r\n", "LF without CR @0"],
    ["LF behind a length", "$3\nabc\r\n", "LF without CR @0"],
    ["CR without LF", "+OK\rK\r\n", "CR without LF @0"],
    ["CR CR LF", ":1\r\r\n", "CR without LF @0"],
    ["line over the limit", `+${line}f`, "line of more than 32 bytes @0", { maxLine: 32 }],
    ["whole line over the limit", `+${line}f\r\n`, "line of more than 32 bytes @0", { maxLine: 32 }],
    ["big number over the limit", `(${"1".repeat(33)}\r\n`, "line of more than 32 bytes @0", { maxLine: 32 }],
    ["a push inside an array", "*1\r\n>1\r\n+a\r\n", "a push inside another value @4"],
    ["a push inside an attribute", "|1\r\n>1\r\n", "a push inside another value @4"],
    ["boolean that is none", "#x\r\n", "no boolean @0"],
    ["no boolean", "#\r\n", "no boolean @0"],
    ["null with something", "_1\r\n", "no null @0"],
    ["double that is none", ",abc\r\n", "no double @0"],
    ["no double", ",\r\n", "no double @0"],
    ["double without digits before the point", ",.5\r\n", "no double @0"],
    ["double in hex", ",0x10\r\n", "no double @0"],
    ["big number that is none", "(12a\r\n", "no big number @0"],
    ["no big number", "(\r\n", "no big number @0"],
    ["verbatim string without a format", "=3\r\ntxt\r\n", "no format before a verbatim string @4"],
    ["verbatim string without a colon", "=5\r\ntxt-x\r\n", "no format before a verbatim string @4"],
    ["streamed map with a key too many", "%?\r\n+a\r\n.\r\n", "a key without a value @8"],
    ["an end of nothing", ".\r\n", "an end without a streamed aggregate @0"],
    ["an end of an array with a count", "*1\r\n.\r\n", "an end without a streamed aggregate @4"],
    ["an attribute before an end", "*?\r\n|0\r\n.\r\n", "an attribute without a value @8"],
    ["a part of nothing", ";3\r\nabc\r\n", "a part of no streamed string @0"],
    ["the last part of nothing", ";0\r\n", "a part of no streamed string @0"],
    ["something else in a streamed string", "$?\r\n$1\r\na\r\n", "no part of the streamed string @4"],
    ["an end in a streamed string", "*?\r\n$?\r\n.\r\n", "no part of the streamed string @8"],
    ["a streamed string in a streamed string", "$?\r\n;?\r\n", "no length @4"],
  ])("%s", (_, wire, expected, options) => {
    expect(read(wire, options)).toEqual([expected]);
    expect(read(`+OK\r\n${wire}`, options)).toEqual([
      '"OK"',
      expected.replace(/\d+$/, (at) => String(Number(at) + 5)),
    ]);
  });

  it("as deep as is allowed, and as many", () => {
    expect(read(`${deep(127)}*0\r\n`)).toEqual([`${"[".repeat(128)}${"]".repeat(128)}`]);
    expect(read("*3\r\n*2\r\n:1\r\n:2\r\n*1\r\n:1\r\n:1\r\n", { maxElements: 6 })).toEqual([
      "[[1, 2], [1], 1]",
    ]);
    expect(read("$?\r\n;6\r\nabcdef\r\n;4\r\nghij\r\n;0\r\n", { maxBulk: 10 })).toEqual(["<abcdefghij>"]);
    expect(read(`+${line}\r\n`, { maxLine: 32 })).toEqual([JSON.stringify(line)]);
  });

  it("elements count for one value at the top, what is skipped included", () => {
    const wire = "*2\r\n:1\r\n:2\r\n>2\r\n_\r\n_\r\n|1\r\n+a\r\n+b\r\n*?\r\n:3\r\n:4\r\n.\r\n";
    expect(read(wire, { maxElements: 2 })).toEqual(["[1, 2]", "[3, 4]"]);
  });

  it("every byte that begins nothing is refused", () => {
    for (let byte = 0; byte < 256; byte++) {
      const isType = "+-:_#,($!=*~%|>;.".includes(String.fromCharCode(byte));
      expect(decode([Uint8Array.of(byte)]).error).toEqual(
        isType ? null : { reason: "unknown type byte", offset: 0 },
      );
    }
  });
});

describe("values that are not complete", () => {
  it.each([
    "+",
    "+O",
    "+OK",
    "+OK\r",
    ":",
    ":1",
    ":1\r",
    "$",
    "$5",
    "$5\r\n",
    "$5\r\nhel",
    "$5\r\nhello",
    "$5\r\nhello\r",
    "$0\r\n",
    "$-1",
    "*2\r\n",
    "*2\r\n:1\r\n",
    "*1\r\n*1\r\n",
    "%1\r\n+a\r\n",
    ">2\r\n",
    ">2\r\n+a\r\n",
    "|1\r\n",
    "|1\r\n+a\r\n+b\r\n",
    "|0\r\n",
    "$?\r\n",
    "$?\r\n;1\r\na\r\n",
    "*?\r\n",
    "*?\r\n:1\r\n",
    "(123",
    ",nan",
    "=9\r\ntxt:",
  ])("%j is partial", (wire) => {
    expect(read(wire)).toEqual(["..."]);
    expect(read(`:1\r\n${wire}`)).toEqual(["1", "..."]);
  });
});
