import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DbUpdate, RedisPubSub } from "../../../src/drivers/index.ts";
import { type ClusterView, isOut } from "../../../src/drivers/redis/cluster-view.ts";
import { SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

/** A view by one character a node: `A` asked, and the masters it lists. Small letters: without slots. */
function view(asked: string, masters: string): ClusterView {
  return {
    id: asked.toUpperCase(),
    masters: [...masters].map((name) => ({
      id: name.toUpperCase(),
      address: { host: "10.0.0.1", port: name.charCodeAt(0) },
    })),
    hasSlots: /[A-Z]/.test(masters),
  };
}

describe("who is out of a cluster", () => {
  it.each([
    ["in a cluster", "A", "ABC", ["B ABC", "C ABC"], false],
    ["forgotten by the others, without knowing", "A", "ABC", ["B BC", "C BC"], true],
    ["forgotten by one of two", "A", "ABC", ["B BC", "C ABC"], false],
    ["forgotten by one, while the other does not answer", "A", "ABC", ["B BC", null], false],
    ["reset, though the others still list it", "A", "a", ["B ABC", "C ABC"], true],
    ["reset, and one other answers", "A", "a", ["B BC", null], true],
    ["reset, and so was another one", "A", "a", ["B b", "C C"], true],
    ["reset, and nobody else answers", "A", "a", [null, null], false],
    ["has forgotten the others, with its slots", "A", "A", ["B ABC", "C ABC"], true],
    ["a replica by now", "A", "BC", ["B BC", "C BC"], true],
    ["a replica by now, and one other answers", "A", "BC", ["B BC", null], true],
    ["a master without slots, which all list", "A", "aBC", ["B aBC", "C aBC"], false],
    ["one of two, forgotten and reset", "A", "a", ["B B"], true],
    ["the other one of these two", "B", "B", ["A a"], false],
    ["one of two that were both reset", "A", "a", ["B b"], false],
    ["one of two that disagree, each with slots", "A", "AB", ["B B"], false],
    ["one of three that are all alone", "A", "A", ["B B", "C C"], false],
    ["one of six, in three pieces", "A", "AB", ["B AB", "C CD", "D CD", "E EF", "F EF"], false],
    ["alone, nobody else is known", "A", "a", [], false],
    ["one of many, forgotten by half", "A", "ABCD", ["B BCD", "C BCD", "D ABCD"], false],
    ["one of many, forgotten by most", "A", "ABCDE", ["B BCDE", "C BCDE", "D BCDE", "E ABCDE"], true],
    ["the others have been reset themselves", "A", "ABC", ["B b", "C c"], false],
    ["known under a second address", "A", "ABC", ["A ABC", "B ABC", "C ABC"], false],
    ["the others are replicas by now, of masters not known yet", "A", "ADE", ["B ADE", "C ADE"], false],
    ["forgotten, and the others are replicas by now", "A", "ABC", ["B DE", "C DE"], true],
  ])("%s", (_name, asked, own, others, expected) => {
    const views = others.map((text) => (text === null ? null : view(text[0]!, text.slice(2))));
    expect(isOut(view(asked, own), views)).toBe(expected);
  });

  const NAMES = ["A", "B", "C", "D", "E", "F"];
  const views = fc
    .integer({ min: 1, max: NAMES.length })
    .chain((count) =>
      fc.array(fc.record({ masters: fc.subarray(NAMES), hasSlots: fc.boolean() }), {
        minLength: count,
        maxLength: count,
      }),
    )
    .map((all) =>
      all.map(({ masters, hasSlots }, i) => {
        const text = masters.join("");
        return view(NAMES[i]!, hasSlots ? text : text.toLowerCase());
      }),
    );

  it("nobody is out because another one does not answer, and nobody without another who says so", () => {
    fc.assert(
      fc.property(views, fc.nat(), ([node, ...others], at) => {
        const fewer = others.map((other, i) => (i === at % others.length ? null : other));
        if (isOut(node!, fewer)) expect(isOut(node!, others)).toBe(true);
        expect(
          isOut(
            node!,
            others.map(() => null),
          ),
        ).toBe(false);
      }),
    );
  });

  it("whatever pieces a cluster falls into, somebody is in: nobody goes round in circles", () => {
    const links = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 40 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: NAMES.length }),
        fc.subarray(NAMES),
        links,
        (count, slots, pairs) => {
          const nameOf = (name: string) => (slots.includes(name) ? name : name.toLowerCase());
          const all = NAMES.slice(0, count).map((name) => {
            const knows = (other: string) =>
              other === name ||
              pairs.some(([a, b]) => (a === name && b === other) || (a === other && b === name));
            return view(name, NAMES.slice(0, count).filter(knows).map(nameOf).join(""));
          });
          const out = all.filter((node) =>
            isOut(
              node,
              all.filter((other) => other !== node),
            ),
          );
          expect(out.length).toBeLessThan(count);
        },
      ),
    );
  });
});

describe("the watch over the nodes in use", () => {
  const INTERVAL = 15_000;
  const PORTS = [1, 2, 3];

  /** A controller and a writer at one node, as far as chance allows; what the controller was called back with. */
  async function start(sim: SimulatedCluster) {
    const seen: string[] = [];
    const driver = sim.driver();
    const [subscriber, publisher] = [driver.getSubscriber(), driver.getPublisher()];
    const used: SimulatedNode[] = [];
    const writers: SimulatedNode[] = [];
    subscriber.events.on("connected", ({ address }) => used.push(sim.at(address)));
    publisher.events.on("connected", ({ address }) => writers.push(sim.at(address)));
    await subscriber.initialize((_table, key, action) => void seen.push(key ?? action));
    subscriber.registerTopic("t");
    await sim.run(subscriber.daemonize());
    const close = () => sim.run(Promise.all([subscriber.close(), publisher.close()]));
    const write = (key: string) =>
      sim.run(publisher.sendEvent(new DbUpdate({ table: "x", key, action: "set", topic: "t" })));
    return { seen, used, writers, subscriber, publisher, close, write };
  }
  /** A writer at the same node as the controller. */
  async function startTogether() {
    for (let seed = 1; ; seed += 1) {
      const sim = new SimulatedCluster(PORTS, seed);
      const ends = await start(sim);
      await sim.run(ends.publisher.initialize());
      if (ends.used[0] === ends.writers[0]) return { sim, ...ends };
    }
  }

  it("a look every interval: the node and one other, however many use it; none after close, and no timer", async () => {
    const { sim, close } = await startTogether();
    sim.looks();
    await sim.advance(INTERVAL - 1);
    expect(sim.looks()).toBe(0);
    await sim.advance(1);
    expect(sim.looks()).toBe(2);
    await sim.advance(3 * INTERVAL);
    expect(sim.looks()).toBe(6);
    await close();
    expect(sim.left).toMatchObject({ timers: 0, holds: 0, streams: 0 });
    await sim.advance(3 * INTERVAL);
    expect(sim.looks()).toBe(0);
  });

  it("a node that was reset is left at the second look: one sync, and the writer goes on elsewhere", async () => {
    const { sim, used, writers, seen, close, write } = await startTogether();
    const [node] = used;
    sim.forget(node!.port);
    node!.reset();
    await sim.advance(INTERVAL);
    expect([used.length, writers.length]).toEqual([1, 1]);
    await sim.advance(INTERVAL);
    await sim.advance(1000);
    expect(used.length).toBe(2);
    expect(used[1]).not.toBe(node);
    expect(seen).toEqual(["sync"]);
    await write("after");
    expect(writers.length).toBe(2);
    expect(writers[1]).not.toBe(node);
    await sim.advance(10 * INTERVAL);
    expect(seen).toEqual(["sync", "after"]);
    expect([used.length, writers.length]).toEqual([2, 2]);
    await close();
    expect(sim.left).toMatchObject({ timers: 0, holds: 0, streams: 0 });
  });

  it("a node that the others have forgotten, and that does not know: what a writer gave it is answered by a sync", async () => {
    const { sim, used, writers, close, write } = await startTogether();
    const [node] = used;
    const other = await start(sim);
    const far = [other];
    while (far.at(-1)!.used[0] === node) far.push(await start(sim));
    const { seen } = far.at(-1)!;
    await write("before");
    expect(seen).toEqual(["before"]);
    sim.forget(node!.port);
    await write("lost");
    expect(seen).toEqual(["before"]);
    await sim.advance(4 * INTERVAL);
    expect(writers[1]).not.toBe(node);
    expect(seen).toEqual(["before", "sync"]);
    await write("after");
    expect(seen).toEqual(["before", "sync", "after"]);
    for (const ends of far) await ends.close();
    await close();
  });

  it.each<[string, (sim: SimulatedCluster, node: SimulatedNode) => void]>([
    ["one other forgets it", (sim, { port }) => void sim.node((port % 3) + 1).lists.delete(port)],
    ["it does not answer", (_sim, node) => void Object.assign(node, { isMute: true })],
    [
      "nobody answers",
      (sim, node) => {
        node.reset();
        for (const each of sim.nodes.values()) each.isMute = each !== node;
      },
    ],
    [
      "all others are replicas now, of nodes that have come since",
      (sim, { port }) => {
        const now = [...PORTS, 4, 5];
        for (const added of [4, 5]) sim.add(added, now);
        for (const each of sim.nodes.values()) {
          each.lists = new Set(now);
          each.isReplica = each.port !== port && each.port <= 3;
        }
      },
    ],
    ["all slots move away from it", (_sim, node) => void Object.assign(node, { hasSlots: false })],
    [
      "another one fails",
      (sim, { port }) => {
        const dead = (port % 3) + 1;
        for (const each of sim.nodes.values()) each.failed.add(dead);
        sim.node(dead).isMute = true;
      },
    ],
  ])("it stays when %s", async (_name, change) => {
    const { sim, used, writers, seen, close } = await startTogether();
    change(sim, used[0]!);
    await sim.advance(20 * INTERVAL);
    expect([used.length, writers.length, seen]).toEqual([1, 1, []]);
    await close();
  });

  it.each<[string, (sim: SimulatedCluster, node: SimulatedNode) => void]>([
    [
      "the others hold it to be dead",
      (sim, { port }) => {
        for (const each of sim.nodes.values()) if (each.port !== port) each.failed.add(port);
      },
    ],
    ["it is a replica now", (_sim, node) => void Object.assign(node, { isReplica: true })],
    [
      "it has forgotten the others",
      (_sim, node) => void Object.assign(node, { lists: new Set([node.port]) }),
    ],
    [
      "it was reset, and one of the others is dead",
      (sim, node) => {
        sim.forget(node.port);
        node.reset();
        sim.node((node.port % 3) + 1).isMute = true;
      },
    ],
  ])("it is left when %s", async (_name, change) => {
    const { sim, used, seen, close } = await startTogether();
    change(sim, used[0]!);
    await sim.advance(8 * INTERVAL);
    expect(used.length).toBe(2);
    expect(used[1]).not.toBe(used[0]);
    expect(seen).toEqual(["sync"]);
    await close();
  });

  it("a disagreement that is over at the next look, or a look without its answer between two, costs nothing", async () => {
    const { sim, used, close } = await startTogether();
    const [node] = used;
    const lists = [...sim.nodes.values()].map((each) => [each, each.lists] as const);
    for (const between of ["in", "mute"] as const) {
      for (const [each] of lists) each.lists = new Set([...each.lists].filter((port) => port !== node!.port));
      node!.lists = new Set(PORTS);
      await sim.advance(INTERVAL);
      if (between === "mute") node!.isMute = true;
      else for (const [each, whole] of lists) each.lists = whole;
      await sim.advance(INTERVAL);
      node!.isMute = false;
      await sim.advance(between === "mute" ? 0 : INTERVAL);
      expect([between, used.length]).toEqual([between, 1]);
    }
    await close();
  });

  it("a plain server is asked once for each connection", async () => {
    const sim = new SimulatedCluster([1]);
    sim.node(1).isCluster = false;
    const { used, close } = await start(sim);
    sim.looks();
    await sim.advance(100 * INTERVAL);
    expect([sim.looks(), used.length]).toEqual([1, 1]);
    await close();
  });

  it("a look that finds no room for one more client finds nothing; the next one looks again", async () => {
    const { sim, used, close } = await startTogether();
    const [node] = used;
    node!.isFull = true;
    await sim.advance(INTERVAL);
    node!.isFull = false;
    sim.forget(node!.port);
    node!.reset();
    await sim.advance(2 * INTERVAL + 1000);
    expect(used.length).toBe(2);
    await close();
  });

  it("a node that was reset, chosen as nobody else answered, is left when one of the configured ones knows of a cluster", async () => {
    const sim = new SimulatedCluster(PORTS);
    sim.forget(1);
    sim.node(1).reset();
    for (const port of [2, 3]) sim.node(port).isFull = true;
    const { used, seen, close } = await start(sim);
    expect(used).toEqual([sim.node(1)]);
    await sim.advance(4 * INTERVAL);
    expect(used.length).toBe(1);
    for (const port of [2, 3]) sim.node(port).isFull = false;
    await sim.advance(2 * INTERVAL + 1000);
    expect(used.length).toBe(2);
    expect([2, 3]).toContain(used[1]!.port);
    expect(seen).toEqual(["sync"]);
    await close();
  });

  it("a node that was reset is not come back to when the only other one cuts its connections", async () => {
    const sim = new SimulatedCluster([1, 2]);
    sim.forget(1);
    sim.node(1).reset();
    const { used, seen, close } = await start(sim);
    for (let round = 0; round < 3; round += 1) {
      for (const { stream } of sim.node(2).connections) stream.end();
      await sim.advance(1000);
    }
    expect(used).toEqual(Array.from({ length: 4 }, () => sim.node(2)));
    await sim.advance(4 * INTERVAL);
    expect([used.length, seen]).toEqual([4, ["sync", "sync", "sync"]]);
    await close();
  });

  it("masters that have come since are known when the node is taken out", async () => {
    const { sim, used, close } = await startTogether();
    const [node] = used;
    const now = [node!.port, 4, 5];
    for (const each of sim.nodes.values()) each.isMute = each !== node;
    node!.lists = new Set(now);
    for (const port of [4, 5]) sim.add(port, now);
    await sim.advance(2 * INTERVAL);
    expect(used.length).toBe(1);
    sim.forget(node!.port);
    node!.reset();
    await sim.advance(4 * INTERVAL);
    expect([4, 5]).toContain(used[1]!.port);
    await close();
  });

  it("whoever finds a node out asks all at the next look too: one that has not heard of it makes no difference", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const sim = new SimulatedCluster([1, 2, 3, 4, 5], seed);
      const { used, close } = await start(sim);
      const { port } = used[0]!;
      sim.forget(port);
      sim.node((port % 5) + 1).lists.add(port);
      do {
        sim.looks();
        await sim.advance(INTERVAL);
      } while (sim.looks() < 5);
      await sim.advance(INTERVAL + 1000);
      expect(used.length).toBe(2);
      await close();
    }
  });

  it("each node is asked once in a look, though many are in use; and looks that take long are one at a time", async () => {
    const sim = new SimulatedCluster(PORTS);
    const writers = Array.from({ length: 8 }, () => sim.driver({ topologyInterval: 100 }).getPublisher());
    for (const writer of writers) await sim.run(writer.initialize());
    expect(new Set(writers.map(({ address }) => address)).size).toBe(3);
    sim.looks();
    await sim.advance(100);
    expect(sim.looks()).toBe(3);
    for (const node of sim.nodes.values()) node.isMute = true;
    await sim.advance(100);
    expect(sim.looks()).toBe(3);
    const late = sim.driver({ topologyInterval: 100 }).getPublisher();
    await sim.run(late.initialize());
    await sim.advance(1500);
    expect(sim.looks()).toBe(0);
    await sim.run(Promise.all([late, ...writers].map((writer) => writer.close())));
    expect(sim.left.holds).toBe(0);
    await sim.advance(4000);
    expect(sim.left).toMatchObject({ timers: 0, streams: 0 });
  });

  it("topologyInterval: that long; 0: no look", async () => {
    const sim = new SimulatedCluster(PORTS);
    const quick = sim.driver({ topologyInterval: 100 }).getPublisher();
    const never = sim.driver({ topologyInterval: 0 }).getPublisher();
    await sim.run(never.initialize());
    sim.looks();
    await sim.advance(10 * INTERVAL);
    expect(sim.looks()).toBe(0);
    await sim.run(quick.initialize());
    await sim.advance(1000);
    expect(sim.looks()).toBe(20);
    await sim.run(Promise.all([quick.close(), never.close()]));
    expect(() => new RedisPubSub({ topologyInterval: -1 })).toThrow(/topologyInterval/);
  });
});
