import { describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { sleep, until } from "../support/wait.ts";
import { OldPublisher, useRawPeers } from "./peers/raw-peer.ts";

const text = (parts: readonly Uint8Array[]): string[] =>
  parts.map((part) => Buffer.from(part).toString("latin1"));

describe("GR-16: a peer that announces ZMTP 3.0 and knows no PING", () => {
  const raw = useRawPeers();

  it("a 3.0 publisher gets subscriptions as messages, and nothing foreign while the connection is idle", async () => {
    const listener = await raw.listen();
    const sub = new zmtp.Subscriber();
    const topics = ["a", "b".repeat(254), "c".repeat(255), "d".repeat(256), ""];
    sub.subscribe(...topics);
    sub.connect(listener.address);
    const publisher = await OldPublisher.accept(listener);
    await until("all subscriptions have come", () => publisher.topics.length === topics.length);
    expect([...publisher.topics].sort()).toEqual([...topics].sort());

    sub.unsubscribe("a", "d".repeat(256));
    await until("two are given up", () => publisher.topics.length === topics.length - 2);
    publisher.publish("x", "", "y");
    expect(text(await sub.receive())).toEqual(["x", "", "y"]);

    await sleep(1500);
    expect(publisher.foreign).toEqual([]);
    expect(publisher.peer.open).toBe(true);
    expect(listener.accepted).toBe(1);
    await sub.close();
  });

  it("with heartbeats on, it gets PING as from libzmq, or none where only able peers are to get it", async () => {
    const [pinged, spared] = [await raw.listen(), await raw.listen()];
    const all = new zmtp.Subscriber({ heartbeatInterval: 50, heartbeatTimeout: 0 });
    const able = new zmtp.Subscriber({ heartbeatInterval: 50, heartbeatPeers: "able" });
    all.connect(pinged.address);
    able.connect(spared.address);
    const [publisher, other] = await Promise.all([OldPublisher.accept(pinged), OldPublisher.accept(spared)]);
    await until("a PING comes", () => publisher.foreign.length > 0);
    expect(publisher.foreign[0]).toEqual({ flags: 4, body: Buffer.from("\x04PING\0\0") });
    await sleep(500);
    expect(other.foreign).toEqual([]);
    expect(other.peer.open).toBe(true);
    await Promise.all([all.close(), able.close()]);
  });

  it("a 3.0 subscriber is served, and hears nothing but messages", async () => {
    const pub = new zmtp.Publisher();
    await pub.bind("tcp://127.0.0.1:*");
    const subscriber = await raw.connect(pub.lastEndpoint!);
    await subscriber.shake("SUB", 0);
    subscriber.message("\x01a");
    subscriber.message(`\x01${"b".repeat(255)}`);
    await pub.subscribed("b".repeat(255));
    await pub.send(["abc", "1"]);
    await pub.send(["b", "no"]);
    await pub.send(["b".repeat(256)]);
    const frames = [await subscriber.frame(), await subscriber.frame(), await subscriber.frame()];
    expect(frames.map(({ flags, body }) => [flags, body.toString("latin1")])).toEqual([
      [1, "abc"],
      [0, "1"],
      [2, "b".repeat(256)],
    ]);
    await sleep(500);
    expect(subscriber.unread).toHaveLength(0);
    expect(subscriber.open).toBe(true);
    await pub.close();
  });

  it("a 3.0 pair of PUSH and PULL", async () => {
    const pull = new zmtp.Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const pusher = await raw.connect(pull.lastEndpoint!);
    const { greeting, ready } = await pusher.shake("PUSH", 0);
    expect([...greeting.subarray(10, 12)]).toEqual([3, 1]);
    expect(ready.body.subarray(0, 6).toString("latin1")).toBe("\x05READY");
    pusher.message("from 3.0", "two");
    expect(text(await pull.receive())).toEqual(["from 3.0", "two"]);

    const push = new zmtp.Push();
    const listener = await raw.listen();
    push.connect(listener.address);
    const puller = await listener.accept();
    await puller.shake("PULL", 0);
    await push.send("to 3.0");
    expect(await puller.frame()).toEqual({ flags: 0, body: Buffer.from("to 3.0") });
    await Promise.all([pull.close(), push.close()]);
  });
});
