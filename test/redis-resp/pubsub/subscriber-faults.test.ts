import { describe, expect, it } from "vitest";
import { RedisSubscriber } from "../../../src/redis-resp/index.ts";
import { tcp } from "../../../src/transports/index.ts";
import { trapRejections, watch } from "../../support/sim-sockets.ts";
import { FakeRedis, RedisWorld } from "./fake-redis.ts";

trapRejections();

describe("RedisSubscriber: known faults of clients, over a simulated network", () => {
  it("ioredis#2037, #656: nothing is subscribed to before the handshake is answered", async () => {
    const world = new RedisWorld();
    world.server.rules.mute.add("HELLO");
    const subscriber = world.subscriber();
    const call = watch(subscriber.subscribe("news", () => {}));
    await world.settle();
    const { commands } = world.server.last;
    expect(commands.filter((command) => command.startsWith("SUBSCRIBE"))).toEqual([]);
    world.server.rules.mute.clear();
    await world.advance(60_000); // it gave up after connectTimeout, and tried again
    expect(call.state).toBe("resolved");
    await subscriber.close();
  });

  it("ioredis#2099: a connection that ends in the handshake is not ready, and the next one is dialled", async () => {
    const world = new RedisWorld();
    world.server.rules.mute.add("HELLO");
    const subscriber = world.subscriber();
    let connects = 0;
    subscriber.events.on("connect", () => {
      connects += 1;
    });
    const call = watch(subscriber.subscribe("news", () => {}));
    await world.settle();
    world.server.killAll();
    world.server.rules.mute.clear();
    await world.settle();
    expect(connects).toBe(0);
    await world.advance(60_000);
    expect([connects, call.state]).toEqual([1, "resolved"]);
    await subscriber.close();
  });

  it("node-redis#3128, #3346, #3374: a server that lets us in and is never at work is no connection", async () => {
    const world = new RedisWorld();
    world.server.rules.mute.add("PING");
    const subscriber = world.subscriber();
    const call = watch(subscriber.subscribe("news", () => {}));
    await world.advance(4000);
    expect([call.state, subscriber.stats().connections]).toEqual(["pending", 0]);
    world.server.rules.mute.clear();
    await world.advance(60_000);
    expect([call.state, subscriber.stats().connections]).toEqual(["resolved", 1]);
    await subscriber.close();
  });

  it("ioredis#85, #1451, #240, node-redis#191, #540, #680: subscriptions outlive any number of failed attempts", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    const heard: string[] = [];
    await world.run(subscriber.subscribe(["a", "b"], (payload) => heard.push(payload.toString())));
    await world.run(subscriber.psubscribe("p*", () => {}));
    for (let round = 0; round < 3; round += 1) {
      world.stopServer();
      await world.advance(10_000); // several attempts fail
      world.startServer();
      await world.advance(5000);
      // One that is cut before anything was subscribed to counts as little.
      world.server.rules.mute.add("SUBSCRIBE");
      world.server.killAll();
      await world.advance(100);
      world.server.killAll();
      world.server.rules.mute.clear();
      await world.advance(10_000);
      expect(world.server.publish("a", String(round))).toBe(1);
      await world.settle();
    }
    expect(heard).toEqual(["0", "1", "2"]);
    expect([...world.server.last.has[""]!]).toEqual(["a", "b"]);
    expect([...world.server.last.has.p!]).toEqual(["p*"]);
    await subscriber.close();
  });

  it("ioredis#1314, #1318: close on a half-open connection closes", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    await world.run(subscriber.subscribe("a", () => {}));
    world.server.last.stream.stall();
    await subscriber.close();
    await world.settle();
    expect(world.left).toMatchObject({ holds: 0, timers: 0 });
    expect(world.network.streams.at(-2)?.isOver).toBe(true);
  });

  it("ioredis#2148: a deadline of the last connection does not end the next", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    await world.run(subscriber.subscribe("a", () => {}));
    await world.advance(14_000);
    world.server.rules.mute.add("PING");
    await world.advance(2000); // asked, with 5 s to answer
    world.server.rules.mute.clear();
    world.server.killAll();
    await world.advance(60_000);
    expect(subscriber.stats().connections).toBe(2);
    await subscriber.close();
  });

  it("ioredis#1937: a healthy server that has nothing to say keeps its connection", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber({ pingInterval: 1000, pingTimeout: 500 });
    await world.run(subscriber.subscribe("a", () => {}));
    await world.advance(600_000);
    expect(subscriber.stats().connections).toBe(1);
    await subscriber.close();
  });

  it("node-redis#2476: after the last unsubscribe nothing is subscribed to again, and a new subscription works", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    await world.run(subscriber.subscribe("a", () => {}));
    await world.run(subscriber.unsubscribe("a"));
    world.server.killAll();
    await world.advance(100);
    expect(world.server.connections).toHaveLength(2);
    expect(world.server.last.subscribes).toEqual([]);
    await world.run(subscriber.subscribe("b", () => {}));
    expect([...world.server.last.has[""]!]).toEqual(["b"]);
    await subscriber.close();
  });

  it("valkey#1066: our SUNSUBSCRIBE crosses the server's own, and its MOVED is no answer to what follows", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    await world.run(subscriber.ssubscribe(["a", "b"], () => {}));
    const { last } = world.server;
    world.server.rules.mute.add("SUNSUBSCRIBE").add("PING");
    last.expel("a");
    const ended = watch(subscriber.sunsubscribe("a"));
    const subscribed = watch(subscriber.ssubscribe("c", () => {}));
    await world.settle();
    expect(last.commands.slice(-4)).toEqual(["SSUBSCRIBE c", "PING", "SUNSUBSCRIBE a", "PING"]);
    world.server.rules.mute.clear();
    last.write("+PONG\r\n-MOVED 15495 127.0.0.1:7001\r\n+PONG\r\n");
    await world.settle();
    expect([ended.state, subscribed.state]).toEqual(["resolved", "resolved"]);
    expect(subscriber.state("b", "shard")).toBe("confirmed");
    await subscriber.close();
  });

  it("node-redis#3209: what a connection says after its error is not heard", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    const heard: string[] = [];
    await world.run(subscriber.subscribe("a", (payload) => heard.push(payload.toString())));
    const old = world.server.last;
    old.write("@\r\n");
    await world.settle();
    old.push("message", "a", "late");
    await world.advance(100);
    expect(heard).toEqual([]);
    expect(world.server.publish("a", "new")).toBe(1);
    await world.settle();
    expect(heard).toEqual(["new"]);
    await subscriber.close();
  });

  it("node-redis#284, #384: messages over very many chunks", async () => {
    const world = new RedisWorld();
    const subscriber = world.subscriber();
    const heard: Buffer[] = [];
    await world.run(subscriber.subscribe("a", (payload) => heard.push(payload)));
    const bodies = [1000, 2 ** 20, 3].map((size, i) => Buffer.alloc(size, `${i}\r\n$5\r\n`));
    world.network.maxChunk = 3000;
    for (const body of bodies) {
      world.server.last.write(`>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$${body.length}\r\n`);
      world.server.last.write(body);
      world.server.last.write("\r\n");
    }
    await world.settle();
    expect(heard.map((payload, i) => payload.equals(bodies[i] as Buffer))).toEqual([true, true, true]);
    await subscriber.close();
  });
});

describe("RedisSubscriber: known faults of clients, over TCP", () => {
  it("node-redis#3282, #3283: what is written after the server's FIN costs nothing", async () => {
    const server = new FakeRedis();
    const options = {
      ipv6: false,
      backlog: 16,
      tcpKeepalive: -1,
      tcpKeepaliveIdle: -1,
      connectTimeout: 0,
    } as const;
    const listener = await tcp.listen("tcp://127.0.0.1:*", options as never, (stream) =>
      server.accept(stream),
    );
    const port = Number(listener.address.split(":").at(-1));
    await using subscriber = new RedisSubscriber({ port, reconnectInterval: 1, reconnectMaxInterval: 5 });
    await subscriber.subscribe("a", () => {});
    for (let i = 0; i < 20; i += 1) {
      server.last.stream.end();
      // Before the end is seen, with it, and after.
      const calls = [subscriber.subscribe(`x${i}`, () => {})];
      await new Promise((resolve) => setImmediate(resolve));
      calls.push(subscriber.subscribe(`y${i}`, () => {}));
      await Promise.all(calls);
    }
    expect(server.last.has[""]?.size).toBe(41);
    await listener.close();
  });
});
