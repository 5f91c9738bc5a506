import fc from "fast-check";
import { COMMAND, type Event, encodeCommand, type SocketType } from "../../src/zmtp/index.ts";
import { body, concat, topic } from "./bytes.ts";
import { almostFrames, frameOf } from "./frames.ts";
import type { Broken } from "./greetings.ts";

/** What a peer does in traffic: its bytes, the events that they must give, and the bytes that must go back. */
export interface Step {
  bytes: Uint8Array;
  events: Event[];
  answer: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** A command frame with that name and data. */
export function commandOf(name: string, data: Uint8Array, isLong = false): Uint8Array {
  const named = concat([Uint8Array.of(name.length), Uint8Array.from(name, (c) => c.charCodeAt(0)), data]);
  return frameOf(COMMAND, named, isLong);
}

/** ERROR with a reason, and now and then something behind it, which is to be ignored (NU-8). */
export function errorCommand(): fc.Arbitrary<{ bytes: Uint8Array; reason: string }> {
  const reason = fc.string({ unit: "grapheme-ascii", maxLength: 255 });
  return fc
    .tuple(reason, fc.oneof(fc.constant(NOTHING), fc.uint8Array({ maxLength: 4 })))
    .map(([text, rest]) => ({
      bytes: commandOf(
        "ERROR",
        concat([Uint8Array.of(text.length), Uint8Array.from(text, (c) => c.charCodeAt(0)), rest]),
      ),
      reason: text,
    }));
}

/** Any command of the traffic, in either size, as a peer of type `ours` must take it. */
export function command(ours: SocketType): fc.Arbitrary<Step> {
  return fc.oneof(subscription(ours), ping(), pong(), ignoredCommand());
}

/** SUBSCRIBE or CANCEL, which only PUB and XPUB hear of (FR-10). */
export function subscription(ours: SocketType): fc.Arbitrary<Step> {
  const isHeard = ours === "PUB" || ours === "XPUB";
  return fc.tuple(fc.boolean(), topic(), fc.boolean()).map(([subscribe, name, isLong]): Step => {
    const bytes = commandOf(subscribe ? "SUBSCRIBE" : "CANCEL", name, isLong);
    return {
      bytes,
      events: isHeard ? [{ type: "subscription", subscribe, topic: name }] : [],
      answer: NOTHING,
    };
  });
}

/** PING with any TTL; a context of more than 16 bytes comes back cut (RFC 37, "Connection Heartbeating"). */
export function ping(): fc.Arbitrary<Step> {
  const context = fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 16 }) },
    fc.uint8Array({ maxLength: 40 }),
  );
  return fc.tuple(fc.nat(65535), context, fc.boolean()).map(([tenths, bytes, isLong]) => ({
    bytes: commandOf("PING", concat([Uint8Array.of(tenths >> 8, tenths & 255), bytes]), isLong),
    events: [],
    answer: encodeCommand("PONG", bytes.subarray(0, 16)),
  }));
}

export function pong(): fc.Arbitrary<Step> {
  return fc.uint8Array({ maxLength: 16 }).map((context) => ({
    bytes: commandOf("PONG", context),
    events: [{ type: "pong", context }],
    answer: NOTHING,
  }));
}

/** What is no command of the traffic is ignored: unknown names, other cases, a late READY or ERROR, none at all (FR-9). */
export function ignoredCommand(): fc.Arbitrary<Step> {
  const name = fc.constantFrom(
    "READY",
    "ERROR",
    "ping",
    "PINGX",
    "SUBSCRIB",
    "JOIN",
    "LEAVE",
    "HELLO",
    "MESSAGE",
    "",
  );
  const named = fc
    .tuple(name, body(), fc.boolean())
    .map(([text, data, isLong]) => commandOf(text, data, isLong));
  return fc
    .oneof(named, fc.constant(frameOf(COMMAND, NOTHING)))
    .map((bytes) => ({ bytes, events: [], answer: NOTHING }));
}

/** Commands whose inside is cut: a name past the end, a PING without its whole TTL. */
export function brokenCommand(): fc.Arbitrary<Broken> {
  const name = fc
    .tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 254 }))
    .map(([size, rest]) => frameOf(COMMAND, concat([Uint8Array.of(size), rest.subarray(0, size - 1)])));
  const ping = fc.uint8Array({ maxLength: 1 }).map((ttl) => commandOf("PING", ttl));
  return fc.oneof(name, ping).map((bytes) => ({ bytes, code: "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED" }));
}

/** A frame with the name of a command, known or not, and data that mostly means nothing to it. */
export function almostCommand(): fc.Arbitrary<Uint8Array> {
  const name = fc.constantFrom("READY", "ERROR", "SUBSCRIBE", "CANCEL", "PING", "PONG", "FOO", "");
  return fc.tuple(name, almostFrames(60)).map(([text, data]) => commandOf(text, data));
}
