// What every measured JavaScript program shares: its settings, and the lines between it and the runner.
//
//   runner -> program   round COUNT   the next round has COUNT messages
//                       end           the other side has finished the round
//   program -> runner   listening ADDRESS...
//                       ready         a receiver has connected
//                       go            a receiver waits for the round's messages
//                       done ...      the round's figures
//                       stopped COUNT the answer to SIGTERM: so many messages of the round had come
//
// The end of standard input ends the program. Where there is a window, descriptor 3 leads from the receiver to the sender;
// a line on it is the number of messages received since the start.
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";

const [, , library, pattern, address, size, highWaterMark, window] = process.argv;

export const settings = {
  library,
  /** "push-pull" or "pub-sub"; round trips: "pairs" or "req-rep". */
  pattern,
  /** Where to bind or connect; two addresses, joined by a comma, for a pair of sockets. */
  addresses: address.split(","),
  /** Bytes of a body. */
  size: Number(size),
  highWaterMark: Number(highWaterMark),
  /** Messages under way at most, for patterns that lose what is too much; else 0. */
  window: Number(window),
};

export const topic = Buffer.from("bench");
export const body = Buffer.alloc(settings.size, "x");

const ACKS = 3;

/** How far a sender may go in this round. Endless unless there is a window. */
export const flow = {
  limit: Number.POSITIVE_INFINITY,
  room() {
    return new Promise((resolve) => {
      roomMade = resolve;
    });
  },
};

let roomMade = null;
/** Messages of all rounds before this one, and acknowledged ones of all rounds. */
let before = 0;
let acknowledged = 0;
/** Messages of this round. */
let expected = 0;
let roundTaker = null;
let roundGiven = null;
let usage = process.cpuUsage();

/** Microseconds of processor time, user and system, of all threads since the round began. */
function cpu() {
  const { user, system } = process.cpuUsage(usage);
  return user + system;
}

export function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

/** The number of messages of the next round. */
export function nextRound() {
  return new Promise((resolve) => {
    roundTaker = resolve;
    giveRound();
  });
}

function giveRound() {
  if (roundTaker === null || roundGiven === null) return;
  roundTaker(roundGiven);
  roundTaker = roundGiven = null;
}

function onLine(line) {
  const [word, number] = line.split(" ");
  if (word === "round") {
    before += expected;
    expected = Number(number);
    usage = process.cpuUsage();
    onAck(before);
    roundGiven = expected;
    giveRound();
  } else if (word === "end") {
    say("done", cpu(), process.memoryUsage.rss());
  }
}

/** One of an earlier round may come late, and says nothing new. */
function onAck(count) {
  acknowledged = Math.max(acknowledged, count);
  if (settings.window > 0) flow.limit = acknowledged + settings.window - before;
  roomMade?.();
  roomMade = null;
}

/** A sender with a window calls this first. */
export function takeAcks() {
  if (settings.window === 0) return;
  const acks = new Socket({ fd: ACKS, readable: true, writable: false });
  acks.on("error", () => {}); // A receiver that was killed: the runner knows.
  createInterface({ input: acks }).on("line", (line) => onAck(Number(line)));
}

/** So many messages of this round have been received. */
export function acknowledge(received) {
  writeSync(ACKS, `${before + received}\n`);
}

/** The receiver's watch. It runs from the first message (or batch) to the last. */
export class Watch {
  /** Call `note` when so many messages have come. */
  mark = 1;
  #count;
  #from = 0;
  #started = 0n;
  #ackEvery;

  /** @param window 0: the program itself acknowledges. */
  constructor(count, window = settings.window) {
    this.#count = count;
    this.#ackEvery = window > 0 ? Math.ceil(window / 4) : Number.POSITIVE_INFINITY;
    say("go");
  }

  note(received) {
    if (this.#from === 0) {
      this.#started = process.hrtime.bigint();
      this.#from = received;
      this.mark = this.#ackEvery;
    }
    if (received >= this.mark && received < this.#count) {
      acknowledge(received);
      this.mark = received + this.#ackEvery;
    }
  }

  /** All have come: tells how many since the watch was started, in how many nanoseconds, and the processor time. */
  finish(received) {
    const nanoseconds = process.hrtime.bigint() - this.#started;
    say("done", cpu(), received - this.#from, nanoseconds);
  }
}

/** The requester's figures: microseconds of processor time, then p50 and p99 in nanoseconds. */
export function finishRoundTrips(nanoseconds) {
  const used = cpu();
  nanoseconds.sort();
  const percentile = (p) => Math.round(nanoseconds[Math.ceil(p * nanoseconds.length) - 1]);
  say("done", used, nanoseconds.length, percentile(0.5), percentile(0.99));
}

/** Answers SIGTERM with the number of messages that came before the round got stuck. */
export function onStop(received) {
  process.on("SIGTERM", () => {
    say("stopped", received());
    process.exit(1);
  });
}

createInterface({ input: process.stdin })
  .on("line", onLine)
  .on("close", () => process.exit(0));
