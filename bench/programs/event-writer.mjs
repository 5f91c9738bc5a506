// A writer of Dragonflow events: each a DbUpdate of its own, sent to the publisher service of the host. As fast as the window
// allows, or ("paced") so many a second, with the time of the call for a key.
import { setTimeout as sleep } from "node:timers/promises";
import { flow, nextRound, say, settings, takeAcks } from "./control.mjs";

const { DbUpdate, packMessage, ZmqPubSubMultiproc } = await import(settings.library);
const [publisherMultiprocSocket] = settings.addresses;
const publisher = new ZmqPubSubMultiproc({ publisherMultiprocSocket, onError }).getPublisher();
const PER_SECOND = 10_000;
/** Longer than `process.hrtime` can be, so that all keys are of one length. */
const KEY_DIGITS = 18;

function onError(error) {
  throw error;
}

function event(key, value) {
  return new DbUpdate({ table: "lport", key, action: "log", value, topic: "tenant-1" });
}

/** JSON text, whose quotes are escaped on the wire, so long that an event has the size wanted. */
function valueFor(size) {
  const row = { id: "p1", lswitch: "s1", macs: ["fa:16:3e:00:00:01"], name: "" };
  const bare = packMessage(event("0".repeat(KEY_DIGITS), JSON.stringify(row))).length;
  if (bare > size) throw new Error(`an event has ${bare} bytes at least`);
  return JSON.stringify({ ...row, name: "x".repeat(size - bare) });
}

const value = valueFor(settings.size);

async function sendAll(count) {
  for (let i = 0; i < count; i++) {
    if (i === flow.limit) await flow.room();
    await publisher.sendEvent(event(String(i).padStart(KEY_DIGITS, "0"), value));
  }
}

/** Wakes every millisecond and sends what is due. */
async function sendPaced(count) {
  const started = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * PER_SECOND));
    for (; sent < due; sent++) {
      await publisher.sendEvent(event(String(process.hrtime.bigint()).padStart(KEY_DIGITS, "0"), value));
    }
    await sleep(1);
  }
}

takeAcks();
await publisher.initialize();
say("ready");

for (;;) {
  const count = await nextRound();
  await (settings.pattern === "paced" ? sendPaced(count) : sendAll(count));
}
