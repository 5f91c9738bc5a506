/**
 * A publisher in a process of its own: `publisher.ts ours|libzmq [port]`. Says where it is bound, then publishes each line of its
 * standard input, two frames in hex, and says `sent`.
 */
import { createInterface } from "node:readline";
import { ZmqPubSub } from "../../../src/drivers/index.ts";

type Send = (frames: [Buffer, Buffer]) => Promise<unknown>;

const [library, port = "0"] = process.argv.slice(2);

async function ours(): Promise<[string, Send]> {
  const publisher = new ZmqPubSub({
    publisherBindAddress: "127.0.0.1",
    publisherPort: Number(port),
  }).getPublisher();
  await publisher.initialize();
  return [publisher.address!, (frames) => publisher.sendFrames(frames)];
}

async function libzmq(): Promise<[string, Send]> {
  const zeromq = await import("zeromq");
  const publisher = new zeromq.Publisher({ linger: 0 });
  await publisher.bind(`tcp://127.0.0.1:${port === "0" ? "*" : port}`);
  return [publisher.lastEndpoint!, (frames) => publisher.send(frames)];
}

const [address, send] = await (library === "libzmq" ? libzmq() : ours());
console.log(address);
for await (const line of createInterface({ input: process.stdin })) {
  const [topic, payload] = line.split(" ").map((hex) => Buffer.from(hex, "hex"));
  await send([topic!, payload!]);
  console.log("sent");
}
process.exit(0);
