// Peers that declare or send what is too large, against a PULL or a PUB of ours in this process. A line of JSON for each
// case: what came of it, and by how many MiB the RSS grew at most.
import * as zmtp from "../../../src/index.ts";
import { bytes } from "../../interop/peers/bytes.ts";
import { RawPeer } from "../../interop/peers/raw-peer.ts";
import { until } from "../../support/wait.ts";
import { memory, peak } from "./measure.ts";

const PEERS = 50;

type Outcome = Record<string, unknown>;

async function bound(options: zmtp.PullOptions = {}) {
  const pull = new zmtp.Pull(options);
  const codes: (string | undefined)[] = [];
  pull.events.on("disconnect", ({ error }) => codes.push((error as { code?: string } | undefined)?.code));
  await pull.bind("tcp://127.0.0.1:*");
  return { pull, codes };
}

async function dial(address: string, type: string): Promise<RawPeer> {
  const peer = await RawPeer.connect(address);
  await peer.shake(type);
  return peer;
}

async function declare(size: string): Promise<Outcome> {
  const { pull, codes } = await bound({ backlog: 500 });
  const peers: RawPeer[] = [];
  for (let n = 0; n < PEERS; n += 1) {
    const peer = await dial(pull.lastEndpoint!, "PUSH");
    peer.write(bytes(`02 ${size} 'a'`));
    peers.push(peer);
  }
  const good = await dial(pull.lastEndpoint!, "PUSH");
  good.message("good");
  const received = String(await pull.receive());
  if (pull.stats().peers.length < PEERS / 2) await until("all are gone", () => codes.length === PEERS);
  for (const peer of peers) peer.destroy();
  const outcome = { received, closed: codes.length, codes: [...new Set(codes)] };
  good.destroy();
  await pull.close();
  return outcome;
}

const CASES: Record<string, () => Promise<Outcome>> = {
  "2^31": () => declare("00*4 80 00*3"),
  "2^53": () => declare("00 20 00*6"),
  "2^63-1": () => declare("7F FF*7"),
  "2^30-65": () => declare("00*4 3F FF FF BF"),
  async parts() {
    const { pull, codes } = await bound();
    const peer = await dial(pull.lastEndpoint!, "PUSH");
    peer.write(Buffer.alloc(2_000_000, bytes("01 00")));
    peer.write(bytes("00 03 'end'"));
    const parts = await pull.receive();
    const outcome = { parts: parts.length, last: String(parts.at(-1)), codes };
    peer.destroy();
    await pull.close();
    return outcome;
  },
  async topics() {
    const pub = new zmtp.Publisher();
    await pub.bind("tcp://127.0.0.1:*");
    const topic = Buffer.alloc(1_000_000, "t");
    for (let n = 0; n < 8; n += 1) {
      const sub = new zmtp.Subscriber();
      sub.connect(pub.lastEndpoint!);
      sub.subscribe(topic);
      await pub.subscribed(topic);
      await pub.send([topic, "found"]);
      const [, found] = await sub.receive();
      if (String(found) !== "found") throw new Error("not found");
      sub.unsubscribe(topic);
      await sub.confirmed();
      await sub.close();
    }
    await pub.close();
    return { rounds: 8 };
  },
  async alternating() {
    const { pull, codes } = await bound();
    const push = new zmtp.Push();
    push.connect(pull.lastEndpoint!);
    const large = Buffer.alloc(1_000_000, "L");
    const small = Buffer.from("s");
    let received = 0;
    const receive = (async () => {
      for (let n = 0; n < 200; n += 1) {
        const [part] = await pull.receive();
        if (!part!.equals(n % 2 === 0 ? large : small)) throw new Error(`message ${n} is torn`);
        received += 1;
      }
    })();
    for (let n = 0; n < 100; n += 1) {
      await push.send(large);
      await push.send(small);
    }
    await receive;
    await Promise.all([push.close(), pull.close()]);
    return { received, codes };
  },
};

for (const [name, body] of Object.entries(CASES)) {
  const before = await memory();
  let outcome: Outcome = {};
  const most = await peak(async () => {
    outcome = await body();
  });
  console.log(JSON.stringify({ name, ...outcome, grown: Math.round(most - before.rss) }));
}
