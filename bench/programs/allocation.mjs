// One end of a pair whose allocations are counted: node allocation.mjs LIBRARY ROLE HANDING FRAMES SIZE [ADDRESS]
//
//   runner -> program   round COUNT            messages of the next round
//                       profile COUNT          the same, under the sampling heap profiler
//   program -> runner   listening ADDRESS      a sender has bound
//                       ready                  a receiver has connected
//                       done HEAP BUFFERS GCS  bytes of the round on the heap and in buffers outside of it; collections meanwhile
//                       sites JSON             the profile: [bytes, function, place] of what allocated most
//
// The young generation has to be so large that nothing is collected during a round (--min-semi-space-size), for then what
// the heap has grown by is what was allocated.
import { Session } from "node:inspector";
import { PerformanceObserver } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [, , library, role, handing, frames, size, address] = process.argv;
const message = Array.from({ length: Number(frames) }, () => Buffer.alloc(Number(size), "x"));
const SITES = 5;
/** ms in which the observer hears of a collection. */
const NEWS = 20;

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ["gc"] });

function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

const ways = {
  send: {
    async one(socket, count) {
      for (let n = 0; n < count; n += 1) await socket.send(message);
    },
    async batch(socket, count) {
      for (let n = 0; n < count; n += 1) if (!socket.trySend(message)) await socket.send(message);
    },
  },
  receive: {
    async one(socket, count) {
      let left = count;
      for await (const _ of socket) if (--left === 0) return;
    },
    async batch(socket, count) {
      for (let left = count; left > 0; ) left -= (await socket.receiveBatch()).length;
    },
  },
  // What the caller's own `await` takes.
  "bare-send": {
    async one(_, count) {
      const settled = Promise.resolve();
      for (let n = 0; n < count; n += 1) await settled;
    },
  },
  // What a received message is, if nothing else is allocated, and the same out of an iterator.
  "bare-receive": {
    async one(_, count) {
      let left = count;
      const next = () => Promise.resolve({ done: false, value: newMessage(left) });
      for await (const parts of { [Symbol.asyncIterator]: () => ({ next }) }) {
        last = parts;
        if (--left === 0) return;
      }
    },
    async batch(_, count) {
      for (let n = 0; n < count; n += 1) last = newMessage(n);
    },
  },
};

/** Views into what was received, in an array: a literal, which has just the room that it needs. */
function newMessage(at) {
  return message.length === 1 ? [view(at)] : [view(at), view(at)];
}

const chunk = Buffer.alloc(65_536);

function view(at) {
  const from = at & 0x7fff;
  return chunk.subarray(from, from + message[0].length);
}

/** Keeps the compiler from leaving out what nobody looks at. */
export let last = null;

async function open() {
  if (role.startsWith("bare-")) return null;
  const { Pull, Push } = await import(library);
  const socket = role === "send" ? new Push() : new Pull();
  if (role === "send") {
    await socket.bind("tcp://127.0.0.1:*");
    say("listening", socket.lastEndpoint);
  } else {
    socket.connect(address);
    say("ready");
  }
  return socket;
}

async function settle() {
  globalThis.gc();
  await sleep(NEWS);
  collections = 0;
}

async function count(socket, messages) {
  await settle();
  const before = process.memoryUsage();
  await ways[role][handing](socket, messages);
  const after = process.memoryUsage();
  await sleep(NEWS);
  say("done", after.heapUsed - before.heapUsed, after.arrayBuffers - before.arrayBuffers, collections);
}

async function profile(socket, messages) {
  await settle();
  const session = new Session();
  session.connect();
  session.post("HeapProfiler.startSampling", {
    samplingInterval: 512,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  await ways[role][handing](socket, messages);
  session.post("HeapProfiler.stopSampling", (error, result) => {
    if (error) throw error;
    say("sites", JSON.stringify(largestSites(result.profile.head)));
  });
  session.disconnect();
}

/** By function. What Node's own functions allocate counts for the function that called them. */
function largestSites(head) {
  const bytes = new Map();
  visit(head, "(none)");
  return [...bytes]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SITES)
    .map(([site, sum]) => [sum, ...site.split(" ")]);

  function visit({ callFrame, selfSize, children }, caller) {
    const { functionName, url, lineNumber } = callFrame;
    const isNodes = url === "" || url.startsWith("node:");
    const site = isNodes
      ? caller
      : `${functionName || "(anonymous)"} ${url.split("/").at(-1)}:${lineNumber + 1}`;
    bytes.set(site, (bytes.get(site) ?? 0) + selfSize);
    for (const child of children) visit(child, site);
  }
}

const socket = await open();
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [word, messages] = line.split(" ");
    (word === "round" ? count : profile)(socket, Number(messages));
  })
  .on("close", () => process.exit(0));
