import fc from "fast-check";
import {
  type Event,
  encodeCommand,
  MORE,
  type ProtocolErrorCode,
  RefusedError,
  type SocketType,
} from "../../src/zmtp/index.ts";
import { concat, message, topic } from "./bytes.ts";
import { brokenCommand, command, commandOf, errorCommand, type Step } from "./commands.ts";
import { brokenFrame, frameOf } from "./frames.ts";
import { type Broken, brokenGreeting, greeting, greetingOf } from "./greetings.ts";
import { announcement, brokenMetadata } from "./metadata.ts";
import { compatiblePair, type SocketPair, type Version, version } from "./peers.ts";

/** All that a peer sends over one connection, and what it must do to a Connection of type `ours`. */
export interface Session {
  ours: SocketType;
  bytes: Uint8Array;
  events: Event[];
  /** What goes back besides our greeting and READY: PONGs. Of a session that ends in an error, what comes before. */
  answers: Uint8Array;
  /** `open`: all was well. `refused`: by an ERROR. Else the code of the ProtocolError at the end of the bytes. */
  end: "open" | "refused" | ProtocolErrorCode;
}

const NOTHING = new Uint8Array(0);

/** A message to a socket of type `ours`: in it and between its frames may be commands (FR-5). */
export function messageStep(ours: SocketType): fc.Arbitrary<Step> {
  const between = fc.oneof(
    { weight: 5, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: command(ours) },
  );
  const legacy = fc
    .tuple(fc.boolean(), topic())
    .map(([on, name]) => [concat([Uint8Array.of(on ? 1 : 0), name])]);
  const isPublisher = ours === "PUB" || ours === "XPUB";
  const parts = isPublisher ? fc.oneof(message({ maxParts: 4 }), legacy) : message({ maxParts: 4 });
  return parts
    .chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.array(fc.tuple(between, fc.boolean()), { minLength: all.length, maxLength: all.length }),
      ),
    )
    .map(([all, around]): Step => {
      const pieces: Uint8Array[] = [];
      const events: Event[] = [];
      const answers: Uint8Array[] = [];
      for (const [i, part] of all.entries()) {
        const [before, isLong] = around[i] as [Step | null, boolean];
        if (before !== null) {
          pieces.push(before.bytes);
          events.push(...before.events);
          answers.push(before.answer);
        }
        pieces.push(frameOf(i < all.length - 1 ? MORE : 0, part, isLong));
      }
      events.push(...messageEvents(ours, all));
      return { bytes: concat(pieces), events, answer: concat(answers) };
    });
}

/**
 * What a message gives: to PUB and XPUB every part that begins with 0 or 1 is a subscription, and what is left is the
 * message (RFC 29, "The PUB Socket Type"); to all others it is a message.
 */
export function messageEvents(ours: SocketType, parts: readonly Uint8Array[]): Event[] {
  if (ours !== "PUB" && ours !== "XPUB") return [{ type: "message", parts: [...parts] }];
  const isSubscription = (part: Uint8Array): boolean => part.length > 0 && (part[0] as number) < 2;
  const events = parts
    .filter(isSubscription)
    .map((part): Event => ({ type: "subscription", subscribe: part[0] === 1, topic: part.subarray(1) }));
  const rest = parts.filter((part) => !isSubscription(part));
  return rest.length === 0 ? events : [...events, { type: "message", parts: rest }];
}

/** What may come after the handshake. */
export function traffic(ours: SocketType): fc.Arbitrary<Step[]> {
  return fc.array(fc.oneof(command(ours), messageStep(ours)), { maxLength: 8 });
}

/** Greeting, READY and the event of a good peer. */
function opening([ours, theirs]: SocketPair, announced: Version): fc.Arbitrary<Session> {
  return fc
    .tuple(greeting(announced), announcement(theirs), fc.boolean())
    .map(([hello, { metadata, peer }, isLong]) => ({
      ours,
      bytes: concat([hello, commandOf("READY", metadata, isLong)]),
      events: [{ type: "ready", peer: { ...peer, version: [...announced] as [number, number] } }],
      answers: NOTHING,
      end: "open",
    }));
}

/** A session in which the peer keeps every rule. */
export function session(pair: fc.Arbitrary<SocketPair> = compatiblePair()): fc.Arbitrary<Session> {
  return fc
    .tuple(pair, version())
    .chain(([types, announced]) => fc.tuple(opening(types, announced), traffic(types[0])))
    .map(([start, steps]) => ({
      ...start,
      bytes: concat([start.bytes, ...steps.map(({ bytes }) => bytes)]),
      events: [...start.events, ...steps.flatMap(({ events }) => events)],
      answers: concat(steps.map(({ answer }) => answer)),
    }));
}

/** A session that ends in the greeting, in the handshake or in traffic: the peer breaks a rule, or refuses us. */
export function brokenSession(): fc.Arbitrary<Session> {
  return fc.oneof(brokenGreetingSession(), brokenHandshakeSession(), refusal(), {
    weight: 2,
    arbitrary: brokenTrafficSession(),
  });
}

function brokenGreetingSession(): fc.Arbitrary<Session> {
  return fc
    .tuple(compatiblePair(), brokenGreeting())
    .map(([[ours], { bytes, code }]) => broken(ours, bytes, code));
}

/** Instead of READY: a READY that is none, another command, a message, no frame at all (NU-5, NU-8). */
function brokenHandshakeSession(): fc.Arbitrary<Session> {
  const unexpected = (bytes: Uint8Array): Broken => ({ bytes, code: "ERR_ZMTP_UNEXPECTED_COMMAND" });
  const malformed = (bytes: Uint8Array): Broken => ({ bytes, code: "ERR_ZMTP_MALFORMED_COMMAND_ERROR" });
  const other = fc.constantFrom("PING", "PONG", "SUBSCRIBE", "ready", "READYX", "HELLO", "");
  return fc.tuple(compatiblePair(), version()).chain(([[ours], announced]) => {
    const badReady = brokenMetadata(ours).map(({ bytes, code }) => ({
      bytes: encodeCommand("READY", bytes),
      code,
    }));
    const instead = fc.oneof(
      { weight: 4, arbitrary: badReady },
      fc
        .tuple(other, fc.uint8Array({ maxLength: 9 }))
        .map(([name, data]) => unexpected(commandOf(name, data))),
      message({ maxParts: 1 }).map(([part]) => unexpected(frameOf(0, part as Uint8Array))),
      fc
        .constantFrom<Uint8Array>(NOTHING, Uint8Array.of(9, 1))
        .map((data) => malformed(commandOf("ERROR", data))),
      fc.constant<Broken>({
        bytes: Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 0x20, 1),
        code: "ERR_ZMTP_FRAME_TOO_LARGE",
      }),
      brokenFrame(),
      brokenCommand().filter(({ bytes }) => bytes[3] !== 80 /* P: a PING is unexpected, whatever is in it */),
    );
    return fc
      .tuple(greeting(announced), instead)
      .map(([hello, last]) => broken(ours, concat([hello, last.bytes]), last.code));
  });
}

/** ERROR instead of READY. */
function refusal(): fc.Arbitrary<Session> {
  return fc
    .tuple(compatiblePair(), version(), errorCommand())
    .map(([[ours], announced, { bytes, reason }]) => ({
      ours,
      bytes: concat([greetingOf(announced), bytes]),
      events: [{ type: "refused", error: new RefusedError(reason) }],
      answers: NOTHING,
      end: "refused",
    }));
}

function brokenTrafficSession(): fc.Arbitrary<Session> {
  return fc.tuple(session(), fc.oneof(brokenFrame(), brokenCommand())).map(([good, last]) => ({
    ...good,
    bytes: concat([good.bytes, last.bytes]),
    end: last.code,
  }));
}

function broken(ours: SocketType, bytes: Uint8Array, end: ProtocolErrorCode): Session {
  return { ours, bytes, events: [], answers: NOTHING, end };
}
