import { expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { digests, type Shape } from "./peers/messages.ts";
import { describeWithLibzmq } from "./with-peers.ts";

const ANY = "tcp://127.0.0.1:*";
const SHAPES: readonly Shape[] = [[0], [1], [255], [256], [70_000], [3, 0, 300], [1, 70_000, 1]];

describeWithLibzmq("Proxy between peers of libzmq", (sides) => {
  for (const source of ["Publisher", "XPublisher"] as const) {
    it(`XSUB to XPUB: subscriptions go up to their ${source}, messages down to their SUB, copies aside`, async () => {
      const { theirs } = sides();
      const [front, back, capture] = [new zmtp.XSubscriber(), new zmtp.XPublisher(), new zmtp.Push()];
      const copies = await theirs.open("Pull");
      const pub = await theirs.open(source);
      const sub = await theirs.open("Subscriber");
      await sub.subscribe("a");
      front.connect(await pub.bind(ANY));
      capture.connect(await copies.bind(ANY));
      await back.bind(ANY);
      const proxy = new zmtp.Proxy(front, back, capture);
      const running = proxy.run();
      await sub.connect(back.lastEndpoint!);

      expect(await copies.receiveText(1)).toEqual(["\x01a"]);
      if (source === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\x01a"]);
      await pub.probe("a");
      await sub.probed();
      await pub.stop();
      await pub.sendText(["a1", "x"], ["b1"], ["a2", "", "y"]);
      expect(await sub.receiveText(2)).toEqual(["a1|x", "a2||y"]);

      await sub.unsubscribe("a");
      if (source === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\0a"]);
      // What nobody wants any more does not pass: it is filtered at the source.
      await sub.subscribe("end");
      if (source === "XPublisher") expect(await pub.receiveText(1)).toEqual(["\x01end"]);
      await pub.probe("end");
      await sub.probed();
      await pub.stop();
      await pub.sendText(["a3"], ["end"]);
      expect(await sub.receiveText(1)).toEqual(["end"]);

      proxy.terminate();
      await running;
      expect([front.closed, back.closed, capture.closed]).toEqual([true, true, false]);
      await Promise.all([capture.close(), copies.close(), pub.close(), sub.close()]);
    });
  }

  it("PULL to PUSH: their PUSH to their PULL, whole and in order", async () => {
    const { theirs } = sides();
    const [front, back] = [new zmtp.Pull(), new zmtp.Push()];
    const push = await theirs.open("Push");
    const pull = await theirs.open("Pull");
    await front.bind(ANY);
    await back.bind(ANY);
    await push.connect(front.lastEndpoint!);
    await pull.connect(back.lastEndpoint!);
    const proxy = new zmtp.Proxy(front, back);
    const running = proxy.run();
    await push.send(5, SHAPES);
    expect(await pull.receive(SHAPES.length)).toEqual(digests(5, SHAPES));
    proxy.terminate();
    await running;
    await Promise.all([push.close(), pull.close()]);
  });

  it("SUB to PUB: their PUB to their SUBs, both bound by us", async () => {
    const { theirs } = sides();
    const [front, back] = [new zmtp.Subscriber(), new zmtp.Publisher()];
    front.subscribe("");
    await front.bind(ANY);
    await back.bind(ANY);
    const proxy = new zmtp.Proxy(front, back);
    const running = proxy.run();
    const pub = await theirs.open("Publisher");
    await pub.connect(front.lastEndpoint!);
    const subs = [await theirs.open("Subscriber"), await theirs.open("Subscriber")];
    for (const [i, sub] of subs.entries()) {
      await sub.subscribe(String(i), "");
      await sub.connect(back.lastEndpoint!);
    }
    await back.subscribed("", { count: 2 });
    await pub.probe("");
    for (const sub of subs) await sub.probed();
    await pub.stop();
    const received = subs.map((sub) => sub.receive(SHAPES.length));
    await pub.send(1, SHAPES);
    for (const one of received) expect(await one).toEqual(digests(1, SHAPES));
    proxy.terminate();
    await running;
    await Promise.all([pub.close(), ...subs.map((sub) => sub.close())]);
  });
});
