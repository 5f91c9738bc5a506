// One end of many connections on which nothing happens.  idle.mjs LIBRARY listen | idle.mjs LIBRARY ADDRESS COUNT
// LIBRARY "net" is bare node:net.
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const [, , library, address, count] = process.argv;

/** Bytes on the heap and outside of it that are reachable, and of the process. Needs --expose-gc. */
async function memory() {
  for (let i = 0; i < 3; i += 1) {
    await sleep(50);
    globalThis.gc();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, rss };
}

async function netEnds() {
  const ends = new Set();
  if (address === "listen") {
    const server = createServer((socket) => ends.add(socket.on("error", () => {})));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { address: String(server.address().port), length: () => ends.size };
  }
  return {
    async dial() {
      const socket = connect(Number(address), "127.0.0.1").on("error", () => {});
      ends.add(socket);
      await once(socket, "connect");
    },
    length: () => ends.size,
  };
}

async function zmtpEnds() {
  const zmq = await import(library);
  let ready = 0;
  if (address === "listen") {
    const pull = new zmq.Pull();
    pull.events.on("handshake", () => {
      ready += 1;
    });
    await pull.bind("tcp://127.0.0.1:*");
    return { address: pull.lastEndpoint, length: () => ready };
  }
  // One socket for all: a socket's own memory is another question.
  const push = new zmq.Push();
  push.events.on("handshake", () => {
    ready += 1;
  });
  return {
    async dial() {
      push.connect(address);
      while (ready < dialled - 100) await sleep(1);
    },
    length: () => ready,
  };
}

let dialled = 0;
const ends = library === "net" ? await netEnds() : await zmtpEnds();
// What the first one makes for all is not counted.
const rest = address === "listen" ? null : Number(count);
if (rest === null) console.log(`listening ${ends.address}`);
let before = await memory();
let started = process.cpuUsage();

async function until(length) {
  while (ends.length() < length) await sleep(5);
}

async function report(length) {
  const { held, rss } = await memory();
  const busy = process.cpuUsage(started);
  const cpu = process.cpuUsage();
  await sleep(2000);
  const idle = process.cpuUsage(cpu);
  return [
    (held - before.held) / length,
    (rss - before.rss) / length,
    (busy.user + busy.system) / length,
    (idle.user + idle.system) / 2e6,
  ].join(" ");
}

process.stdin.setEncoding("utf8");
let text = "";
for await (const chunk of process.stdin) {
  text += chunk;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    const [word, number] = text.slice(0, end).split(" ");
    text = text.slice(end + 1);
    if (word === "dial") {
      for (let i = 0; i < Number(number); i += 1) {
        dialled += 1;
        await ends.dial();
      }
      await until(dialled);
      console.log("dialled");
    } else if (word === "start") {
      before = await memory();
      started = process.cpuUsage();
      console.log("start");
    } else if (word === "idle") {
      await until(Number(number) + 1);
      console.log(`idle ${await report(Number(number))}`);
    }
  }
}
process.exit(0);
