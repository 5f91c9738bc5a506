import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isAnnouncement, packMessage, unpackMessage } from "../../../src/drivers/event/codec.ts";
import { packFlatEvent, unpackFlatEvent } from "../../../src/drivers/event/flat-event.ts";

const EVENT = { table: "lport", key: "p1", action: "set", value: null, topic: "D" } as const;
const SEQUENCE = { pub: "1f", seq: 7 };
const JSON_TEXT =
  '{"table": "lport", "key": "p1", "action": "set", "value": null, "topic": "D", "pub": "1f", "seq": 7}';

const raw16 = (text: string) =>
  Buffer.concat([Buffer.from([0xda, text.length >> 8, text.length & 0xff]), Buffer.from(text, "latin1")]);

describe("the extension fields pub and seq", () => {
  it("json: behind the five fields, with Python's spaces", () => {
    expect(packMessage(EVENT, "json", SEQUENCE)).toEqual(raw16(JSON_TEXT));
    expect(unpackMessage(raw16(JSON_TEXT))).toEqual({ ...EVENT, form: "json", sequence: SEQUENCE });
  });

  it("json, of an event that is not flat: the same", () => {
    const event = { ...EVENT, value: { ips: ["10.0.0.1", "é"] } };
    const text = JSON_TEXT.replace("null", '{"ips": ["10.0.0.1", "\\u00e9"]}');
    expect(packFlatEvent(event as never)).toBeNull();
    expect(packMessage(event, "json", SEQUENCE)).toEqual(raw16(text));
    expect(unpackMessage(raw16(text))).toEqual({ ...event, form: "json", sequence: SEQUENCE });
  });

  it("map: two more entries", () => {
    const hex =
      "87 a57461626c65 a56c706f7274 a36b6579 a27031 a6616374696f6e a3736574 a576616c7565 c0 a5746f706963 a144 " +
      "a3707562 a23166 a3736571 07";
    const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
    expect(packMessage(EVENT, "map", SEQUENCE)).toEqual(bytes);
    expect(unpackMessage(bytes)).toEqual({ ...EVENT, form: "map", sequence: SEQUENCE });
  });

  it.each([
    ['"pub": "1f"', "alone"],
    ['"seq": 7', "alone"],
    ['"seq": 7, "pub": 1', "no text"],
    ['"pub": "", "seq": 7', "empty"],
    [`"pub": "${"x".repeat(65)}", "seq": 7`, "too long"],
    ['"pub": "1f", "seq": 0', "not from 1 on"],
    ['"pub": "1f", "seq": -1', "negative"],
    ['"pub": "1f", "seq": 1.5', "no integer"],
    ['"pub": "1f", "seq": "7"', "no number"],
    ['"pub": "1f", "seq": null', "null"],
  ])("%s is %s: some other field, ignored", (tail) => {
    const text = JSON_TEXT.replace('"pub": "1f", "seq": 7', tail);
    expect(unpackMessage(raw16(text))).toEqual({ ...EVENT, form: "json" });
  });

  it.each(["1f", "x".repeat(64), 'a"b', "\\", "é", "\u0000", "日本"])(
    "pub %j and large numbers come through",
    (pub) => {
      for (const form of ["json", "map"] as const)
        for (const seq of [1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
          const sequence = { pub, seq };
          const unpacked = unpackMessage(packMessage(EVENT, form, sequence));
          expect(unpacked).toEqual({ ...EVENT, form, sequence });
        }
    },
  );

  it("other orders, other spaces and further fields are read as well", () => {
    const text =
      '{"seq":7,"new":1,"pub":"1f","topic":"D","value":null,"key":"p1","action":"set","table":"lport"}';
    expect(unpackMessage(raw16(text))).toEqual({ ...EVENT, form: "json", sequence: SEQUENCE });
  });

  it.each([9_007_199_254_740_979, Number.MAX_SAFE_INTEGER])(
    "the fast reader reads %i to the last digit",
    (seq) => {
      const text = Buffer.from(JSON_TEXT.replace('"seq": 7', `"seq": ${seq}`)).toString("latin1");
      expect(unpackFlatEvent(raw16(text))?.sequence).toEqual({ ...SEQUENCE, seq });
    },
  );

  it("the fast reader gives what JSON.parse gives, or leaves the event to it, for any tail of an event", () => {
    const tail = fc.oneof(
      fc.record({ pub: fc.string(), seq: fc.oneof(fc.integer(), fc.maxSafeNat()) }),
      fc.record({ pub: fc.string({ unit: "binary-ascii", maxLength: 70 }), seq: fc.nat(1000) }),
    );
    const edit = fc.constantFrom("", " ", "0", '"', "}", ",", "e1", ".0");
    fc.assert(
      fc.property(tail, edit, fc.nat(12), ({ pub, seq }, inserted, from) => {
        const good = JSON_TEXT.replace('"1f", "seq": 7', () => `${JSON.stringify(pub)}, "seq": ${seq}`);
        const at = good.length - from;
        const text = Buffer.from(good.slice(0, at) + inserted + good.slice(at)).toString("latin1");
        const flat = unpackFlatEvent(raw16(text));
        if (flat === null) return;
        const parsed = JSON.parse(text);
        expect(flat).toEqual({ ...EVENT, sequence: { pub: parsed.pub, seq: parsed.seq } });
      }),
    );
  });

  it("an announcement is a log of no table that carries them; any other log is for the user", () => {
    const announcement = { ...EVENT, table: null, key: null, action: "log" };
    for (const form of ["json", "map"] as const) {
      expect(isAnnouncement(unpackMessage(packMessage(announcement, form, SEQUENCE)))).toBe(true);
      expect(isAnnouncement(unpackMessage(packMessage(announcement, form)))).toBe(false);
      expect(
        isAnnouncement(unpackMessage(packMessage({ ...announcement, table: "t" }, form, SEQUENCE))),
      ).toBe(false);
      expect(
        isAnnouncement(unpackMessage(packMessage({ ...announcement, action: "set" }, form, SEQUENCE))),
      ).toBe(false);
    }
  });
});
