import { afterEach, describe, expect, it } from "vitest";
import { type BrokerOptions, RedisBroker } from "../../../src/redis-resp/index.ts";
import { until } from "../../support/wait.ts";
import { RawClient } from "./raw-client.ts";

const open: (RedisBroker | RawClient)[] = [];

afterEach(async () => {
  for (const one of open.splice(0)) {
    if (one instanceof RedisBroker) await one.close();
    else one.destroy();
  }
});

async function listening(options: BrokerOptions = {}): Promise<RedisBroker> {
  const broker = new RedisBroker(options);
  open.push(broker);
  await broker.listen();
  return broker;
}

async function client(broker: RedisBroker): Promise<RawClient> {
  const connected = await RawClient.connect(broker.address);
  open.push(connected);
  return connected;
}

describe("cut", () => {
  it("ends a connection inside its next message, and spares the others", async () => {
    const broker = await listening();
    const subscriber = await client(broker);
    const publisher = await client(broker);
    const before = await subscriber.ask("SUBSCRIBE a");
    broker.faults.cut(20, { pubsub: true });
    expect(await publisher.ask("PUBLISH a hello")).toBe(":1\r\n");
    const text = await subscriber.closed();
    expect(text.slice(text.indexOf(before) + before.length)).toMatch(/\*3\r\n\$7\r\nmessage\r\n\$1\r$/);
    expect(await publisher.ask("PUBLISH a hello")).toBe(":0\r\n");
  });

  it("by default all but the last byte leaves", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask();
    const before = one.text;
    broker.faults.cut();
    expect((await one.send("ECHO hello").closed()).slice(before.length)).toBe("$5\r\nhello\r");
    expect(await (await client(broker)).quit()).toBe("+OK\r\n");
  });

  it("counts on over several writes; nothing at all leaves with 0", async () => {
    const broker = await listening();
    const one = await client(broker);
    const none = await client(broker);
    await Promise.all([one.ask(), none.ask()]);
    const before = one.text;
    broker.faults.cut(12);
    one.send("PING");
    await one.endsWith("+PONG\r\n");
    expect((await one.send("PING").closed()).slice(before.length)).toBe("+PONG\r\n+PONG");
    broker.faults.cut(0);
    const beforeNone = none.text;
    expect((await none.send("PING").closed()).slice(beforeNone.length)).toBe("");
  });

  it("can be called off, and wants a whole number", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask();
    broker.faults.cut(3);
    broker.faults.clear();
    expect(await one.ask("PING")).toBe("+PONG\r\n");
    for (const wrong of [-1, 1.5, Number.NaN]) {
      expect(() => broker.faults.cut(wrong)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    }
  });
});

describe("freeze and thaw", () => {
  it("nothing is answered, new connections are taken in, and then everything goes on in order", async () => {
    const broker = await listening();
    const subscriber = await client(broker);
    await subscriber.ask("SUBSCRIBE a");
    const before = subscriber.size;
    const publisher = await client(broker);
    await publisher.ask();
    const said = publisher.size;
    const { commands } = broker.stats();
    broker.faults.freeze();
    publisher.send("PUBLISH a 1", "PUBLISH a 2");
    const late = await client(broker);
    late.send("PING");
    await until("it is connected", () => broker.stats().clients === 3);
    // Two turns of the loop through the system and back would have brought the replies.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([publisher.size, late.size, subscriber.size]).toEqual([said, 0, before]);
    expect(broker.stats().commands).toBe(commands);
    broker.faults.thaw();
    await late.endsWith("+PONG\r\n");
    await publisher.endsWith(":1\r\n:1\r\n");
    await subscriber.endsWith("$1\r\n1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n2\r\n");
  });

  it("a frozen broker closes, and a client may leave it", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask();
    broker.faults.freeze();
    one.send("PING").destroy();
    const other = await client(broker);
    await broker.close();
    await other.closed();
  });
});

describe("kill", () => {
  it("closes all, or subscribers only", async () => {
    const broker = await listening();
    const subscribers = [await client(broker), await client(broker), await client(broker)];
    const words = ["SUBSCRIBE a", "PSUBSCRIBE a", "SSUBSCRIBE a"];
    for (const [at, one] of subscribers.entries()) await one.ask(words[at] as string);
    const plain = await client(broker);
    await plain.ask();
    expect(broker.faults.kill({ pubsub: true })).toBe(3);
    await Promise.all(subscribers.map((one) => one.closed()));
    expect(await plain.ask("PUBLISH a x", "SPUBLISH a x")).toBe(":0\r\n:0\r\n");
    expect(broker.faults.kill()).toBe(1);
    await plain.closed();
    expect(await (await client(broker)).quit()).toBe("+OK\r\n");
  });
});

describe("moved", () => {
  it("the slot's commands are refused, and its subscribers are told", async () => {
    const broker = await listening({ cluster: true });
    const subscriber = await client(broker);
    await subscriber.ask("HELLO 3", "SSUBSCRIBE foo", "SSUBSCRIBE bar");
    const one = await client(broker);
    // CRC16("foo") mod 16384
    broker.faults.moved("foo", { host: "127.0.0.1", port: 7001 });
    await subscriber.endsWith(">3\r\n$12\r\nsunsubscribe\r\n$3\r\nfoo\r\n:1\r\n");
    const moved = "-MOVED 12182 127.0.0.1:7001\r\n";
    expect(
      await one.ask("SPUBLISH foo x", "SSUBSCRIBE foo", "SET {foo}1 x", "GET foo", "SUNSUBSCRIBE foo"),
    ).toBe(moved.repeat(5));
    expect(await one.ask("SPUBLISH bar x", "PUBLISH foo x")).toBe(":1\r\n:0\r\n");
    broker.faults.moved(12_182, null);
    expect(await one.ask("SPUBLISH foo x")).toBe(":0\r\n");
    for (const wrong of [-1, 16_384, 0.5]) {
      expect(() => broker.faults.moved(wrong, null)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    }
  });

  it("also without a cluster, where keys of different slots still go together", async () => {
    const broker = await listening();
    const one = await client(broker);
    broker.faults.moved("foo", { host: "h", port: 1 });
    expect(await one.ask("DEL bar baz", "DEL bar foo")).toBe(":0\r\n-MOVED 12182 h:1\r\n");
    broker.faults.clear();
    expect(await one.ask("DEL bar foo")).toBe(":0\r\n");
  });
});

describe("noperm", () => {
  const channelRefused =
    "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";

  it("a channel or a pattern, literally", async () => {
    const broker = await listening();
    const one = await client(broker);
    await one.ask("HELLO 3");
    broker.faults.noperm({ channel: "secret" });
    broker.faults.noperm({ channel: Buffer.from("s*") });
    expect(
      await one.ask(
        "SUBSCRIBE a secret",
        "PSUBSCRIBE s*",
        "SSUBSCRIBE secret",
        "PUBLISH secret x",
        "SPUBLISH secret x",
      ),
    ).toBe(channelRefused.repeat(5));
    expect(broker.stats().channels).toBe(0);
    expect(await one.ask("PUBLISH a x", "UNSUBSCRIBE secret", "PSUBSCRIBE sec*")).not.toContain("NOPERM");
    broker.faults.clear();
    expect(await one.ask("PUBLISH secret x")).toMatch(/:1\r\n$/);
  });

  it("a command", async () => {
    const broker = await listening();
    const one = await client(broker);
    broker.faults.noperm({ command: "GET" });
    expect(await one.ask("GET a", "SET a 1")).toBe(
      "-NOPERM this user has no permissions to run the 'get' command\r\n+OK\r\n",
    );
    expect(() => broker.faults.noperm({ command: "NOPE" })).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
    broker.faults.clear();
    expect(await one.ask("GET a")).toBe("$1\r\n1\r\n");
  });
});

describe("sunsubscribe", () => {
  it("comes unasked, in each one's protocol, and the channel can be had again", async () => {
    const broker = await listening();
    const [two, three] = [await client(broker), await client(broker)];
    await two.ask("SSUBSCRIBE a");
    await three.ask("HELLO 3", "SSUBSCRIBE a b");
    expect(broker.faults.sunsubscribe("a")).toBe(2);
    await two.endsWith("*3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0\r\n");
    await three.endsWith(">3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:1\r\n");
    expect(broker.faults.sunsubscribe(Buffer.from("a"))).toBe(0);
    // With its last subscription the RESP2 client has left the subscriber mode.
    expect(await two.ask("GET a")).toBe("$-1\r\n");
    expect(await two.ask("SSUBSCRIBE a")).toBe("*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n");
    expect(await three.ask("SPUBLISH a x", "SPUBLISH b x")).toBe(
      ":1\r\n>3\r\n$8\r\nsmessage\r\n$1\r\nb\r\n$1\r\nx\r\n:1\r\n",
    );
  });
});
