// One process of the soak. Its sockets are given as JSON; it takes orders in lines ("stop": send no more, "close": close and
// end) and reports ten times a second what it has sent, received and dropped. See run.ts.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Publisher, Pull, Push, type Socket, Subscriber } from "../src/index.ts";
import { Book, type Entry } from "./book.ts";

export interface SocketPlan {
  type: "Push" | "Pull" | "Publisher" | "Subscriber";
  /** The name under which its messages are numbered; unique among all processes and lives. */
  sender: string;
  bind: string[];
  connect: string[];
  /** For a Publisher each topic is numbered by itself; a Subscriber takes these. */
  topics: string[];
}

export interface Report {
  sent: Record<string, number>;
  received: Record<string, Entry>;
  /** Messages that a PUB has dropped for a subscriber that was behind, by the endpoint bound. */
  dropped: Record<string, number>;
  /** Connections that have ended here, by endpoint. */
  lost: Record<string, number>;
  /** Sockets whose own counts do not add up. */
  wrong: string[];
  memory: { heap: number; rss: number };
}

const MEBIBYTE = 1024 * 1024;
/** Messages sent in a row, and ms between two rows: enough to fill queues now and then, little enough for two cores. */
const ROW = 40;
const PAUSE = 10;

const TYPES = { Publisher, Pull, Push, Subscriber };

const plans = JSON.parse(process.argv[2]!) as SocketPlan[];
const book = new Book();
const report: Report = {
  sent: {},
  received: book.entries,
  dropped: {},
  lost: {},
  wrong: [],
  memory: { heap: 0, rss: 0 },
};
let sending = true;

let reports = 0;

function say(closed = false): void {
  if (reports++ % 10 === 0) (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  report.memory = { heap: (heapUsed + external) / MEBIBYTE, rss: rss / MEBIBYTE };
  process.stdout.write(`${JSON.stringify({ ...report, closed })}\n`);
}

async function send(socket: Push | Publisher, plan: SocketPlan): Promise<void> {
  const topics = plan.topics.length > 0 ? plan.topics : [""];
  while (sending) {
    for (let n = 0; n < ROW && sending; n += 1) {
      const topic = topics[n % topics.length]!;
      const sender = `${plan.sender}${topic}`;
      const number = report.sent[sender] ?? 0;
      // The last part repeats the others, so that no mix of two messages passes.
      const stamp = `${topic} ${sender} ${number}`;
      await socket.send([topic, sender, String(number), stamp.padEnd(64 + (number % 7) * 97, ".")]);
      report.sent[sender] = number + 1;
    }
    await sleep(PAUSE);
  }
}

async function receive(socket: Pull | Subscriber): Promise<void> {
  for await (const [topic, sender, number, stamp] of socket) {
    if (!String(stamp).startsWith(`${topic} ${sender} ${number}.`))
      report.wrong.push(`torn: ${stamp} of ${sender}`);
    book.take(String(sender), Number(number));
  }
}

/** What a sender was given has been handed over, was dropped, or waits. */
function check(socket: Socket, plan: SocketPlan): void {
  if (plan.type !== "Push") return;
  const { sent, dropped, queued } = socket.stats();
  const given = report.sent[plan.sender] ?? 0;
  // One call may be waiting for room.
  if (Math.abs(sent + dropped + queued - given) > 1)
    report.wrong.push(`${plan.sender}: ${given} given, ${sent} sent, ${dropped} dropped, ${queued} queued`);
}

const sockets = await Promise.all(
  plans.map(async (plan) => {
    const socket = new TYPES[plan.type]({ reconnectInterval: 20, handshakeInterval: 2000 });
    socket.events.on("drop", ({ address }) => {
      report.dropped[address] = (report.dropped[address] ?? 0) + 1;
    });
    socket.events.on("disconnect", ({ address }) => {
      report.lost[address] = (report.lost[address] ?? 0) + 1;
    });
    if (socket instanceof Subscriber) socket.subscribe(...plan.topics);
    for (const address of plan.bind) await socket.bind(address);
    for (const address of plan.connect) socket.connect(address);
    if (socket instanceof Push || socket instanceof Publisher) {
      send(socket, plan).catch((error: { code?: string }) => {
        if (error.code !== "EAGAIN" && error.code !== "EBADF") throw error;
      });
    } else void receive(socket);
    return { socket, plan };
  }),
);
setInterval(say, 100);
say();

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    sending = false;
    for (const { socket, plan } of sockets) check(socket, plan);
    if (line !== "close") return;
    await Promise.all(sockets.map(({ socket }) => socket.close()));
    say(true);
    process.exit(0);
  })
  .on("close", () => process.exit(0));
