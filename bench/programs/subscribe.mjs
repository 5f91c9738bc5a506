// Many subscribers in one process, each a socket with a connection of its own.
//
//   subscribe.mjs SETTINGS... SUBSCRIBERS [receive-batch]
//
// With a window it acknowledges what every one of them has received. Before its first round it receives all the same.
import { acknowledge, nextRound, onStop, say, settings, topic, Watch } from "./control.mjs";
import { zmq } from "./sockets.mjs";

const subscribers = Number(process.argv[8]);
const inBatches = process.argv[9] === "receive-batch";
/** Messages of this round for each subscriber, and all that have come. */
let expected = 0;
let received = 0;
let missing = 0;
let watch = null;
onStop(() => received);

/** How many subscribers have come to each multiple of a quarter of the window; `acknowledged` of these have been told. */
const ackEvery = Math.ceil(settings.window / 4);
let reached = [];
let acknowledged = 0;

function reach(before, now) {
  for (let at = Math.floor(before / ackEvery); at < Math.floor(now / ackEvery); at++)
    reached[at] = (reached[at] ?? 0) + 1;
  const known = acknowledged;
  while (reached[acknowledged] === subscribers) acknowledged += 1;
  if (acknowledged > known && acknowledged * ackEvery < expected) acknowledge(acknowledged * ackEvery);
}

function take(one, messages, last) {
  if (watch === null) return;
  if (received === 0) watch.note(messages);
  received += messages;
  one.received += messages;
  if (ackEvery > 0) reach(one.received - messages, one.received);
  if (one.received < expected) return;
  if (last.length !== settings.size) throw new Error(`a body of ${last.length} bytes`);
  one.received -= expected;
  missing -= 1;
  if (missing === 0) watch.finish(received);
}

async function receiveEach(socket) {
  const one = { received: 0 };
  for await (const parts of socket) take(one, 1, parts.at(-1));
}

async function receiveBatches(socket) {
  const one = { received: 0 };
  for (;;) {
    const messages = await socket.receiveBatch();
    take(one, messages.length, messages.at(-1).at(-1));
  }
}

for (let i = 0; i < subscribers; i++) {
  const socket = new zmq.Subscriber({ receiveHighWaterMark: settings.highWaterMark });
  socket.subscribe(topic);
  socket.connect(settings.addresses[0]);
  void (inBatches ? receiveBatches : receiveEach)(socket);
}
say("ready");

for (;;) {
  const count = await nextRound();
  expected = count;
  received = 0;
  missing = subscribers;
  reached = [];
  acknowledged = 0;
  watch = new Watch(count * subscribers, 0);
}
