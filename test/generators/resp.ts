import fc from "fast-check";
import { concat, utf8 } from "./bytes.ts";

/** A value as it goes over the wire, and spelled as `spelled` does. */
export interface WireValue {
  bytes: Uint8Array;
  spelled: string;
}

/** Text without line ends; often beyond ASCII. */
const line = (): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replace(/[\r\n]/g, "."));

function written(line: string, spelled: string): WireValue {
  return { bytes: utf8(`${line}\r\n`), spelled };
}

function bulk(type: string, body: Uint8Array): Uint8Array {
  return concat([utf8(`${type}${body.length}\r\n`), body, utf8("\r\n")]);
}

function streamedString(parts: readonly Uint8Array[]): WireValue {
  const full = parts.filter((part) => part.length > 0);
  const bytes = concat([utf8("$?\r\n"), ...full.map((part) => bulk(";", part)), utf8(";0\r\n")]);
  return { bytes, spelled: `<${Buffer.from(concat(full)).toString("latin1")}>` };
}

const scalar = (): fc.Arbitrary<WireValue> =>
  fc.oneof(
    fc.constant(written("_", "null")),
    fc.constant(written("$-1", "null")),
    fc.boolean().map((value) => written(value ? "#t" : "#f", String(value))),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integer),
    fc.integer().map((value) => integer(BigInt(value))),
    fc
      .double({ noNaN: true })
      .map((value) => written(`,${doubleText(value)}`, Object.is(value, -0) ? "-0" : String(value))),
    fc.bigInt().map((value) => written(`(${value}`, `${value}n`)),
    line().map((text) => written(`+${text}`, JSON.stringify(text.toWellFormed()))),
    line().map((text) => written(`-MY ${text}`, `MY (MY ${text.toWellFormed()})`)),
    fc.uint8Array({ maxLength: 300 }).map((body) => {
      return { bytes: bulk("$", body), spelled: `<${Buffer.from(body).toString("latin1")}>` };
    }),
    fc
      .string({ maxLength: 40 })
      .map((text) => ({ bytes: bulk("=", utf8(`txt:${text}`)), spelled: JSON.stringify(text) })),
    fc
      .string({ maxLength: 40 })
      .map((text) => ({ bytes: bulk("!", utf8(`E1 ${text}`)), spelled: `E1 (E1 ${text})` })),
    fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 4 }).map(streamedString),
  );

function integer(value: bigint): WireValue {
  return written(`:${value}`, Number.isSafeInteger(Number(value)) ? `${value}` : `${value}n`);
}

function doubleText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

function aggregate(type: string, items: readonly WireValue[], isStreamed: boolean): Uint8Array {
  const count = type === "%" || type === "|" ? items.length / 2 : items.length;
  const bytes = items.map((item) => item.bytes);
  return isStreamed
    ? concat([utf8(`${type}?\r\n`), ...bytes, utf8(".\r\n")])
    : concat([utf8(`${type}${count}\r\n`), ...bytes]);
}

/** Any value but a push, with aggregates in aggregates, and attributes. */
export function respValue(): fc.Arbitrary<WireValue> {
  const { value } = fc.letrec<{ value: WireValue }>((tie) => {
    const items = (maxLength: number): fc.Arbitrary<WireValue[]> => fc.array(tie("value"), { maxLength });
    const list = fc
      .tuple(items(5), fc.constantFrom("*", "~"), fc.boolean())
      .map(([items, type, isStreamed]) => ({
        bytes: aggregate(type, items, isStreamed),
        spelled: `[${items.map((item) => item.spelled).join(", ")}]`,
      }));
    // Keys that differ: a Map holds the same text or number once.
    const map = fc.tuple(items(3), fc.boolean()).map(([items, isStreamed]) => {
      const keys = items.map((_, i) => written(`+key ${i}`, `"key ${i}"`));
      return {
        bytes: aggregate(
          "%",
          items.flatMap((item, i) => [keys[i] as WireValue, item]),
          isStreamed,
        ),
        spelled: `{${items.map((item, i) => `"key ${i}": ${item.spelled}`).join(", ")}}`,
      };
    });
    const attributed = fc.tuple(tie("value"), tie("value"), tie("value")).map(([key, item, about]) => ({
      bytes: concat([aggregate("|", [key, item], false), about.bytes]),
      spelled: about.spelled,
    }));
    const deeper = fc.oneof(list, map, attributed);
    return {
      value: fc.oneof(
        { depthSize: "small" },
        { weight: 3, arbitrary: scalar() },
        { weight: 2, arbitrary: deeper },
      ),
    };
  });
  return value;
}

/** What lies next to RESP: pieces of it in any order, values with a byte changed, and noise. */
export function respBytes(): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    fc.constantFrom(..."+-:_#,($!=*~%|>;.").map(utf8),
    fc
      .constantFrom(
        "\r\n",
        "\r",
        "\n",
        "?",
        "-1",
        "0",
        "1",
        "2",
        "3",
        "16",
        "OK",
        "txt:",
        "nan",
        "inf",
        "message",
      )
      .map(utf8),
    fc
      .constantFrom(
        "*1\r\n",
        ">2\r\n",
        "%?\r\n",
        ".\r\n",
        "|1\r\n",
        "$?\r\n",
        ";1\r\n",
        "$1\r\nx\r\n",
        ":1\r\n",
        "+a\r\n",
      )
      .map(utf8),
    fc.uint8Array({ maxLength: 4 }),
  );
  const pieces = fc.array(piece, { maxLength: 30 }).map(concat);
  const changed = fc
    .tuple(fc.array(respValue(), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(255))
    .map(([values, at, byte]) => {
      const bytes = concat(values.map((value) => value.bytes));
      bytes[at % bytes.length] = byte;
      return bytes;
    });
  return fc.oneof(pieces, changed);
}
