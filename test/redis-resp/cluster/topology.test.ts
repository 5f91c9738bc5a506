import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClusterNode, type SlotRange, Topology } from "../../../src/redis-resp/cluster/topology.ts";

function master(id: string, slots: SlotRange[], health: ClusterNode["health"] = "online"): ClusterNode {
  return { id, host: "h", port: 6379, role: "master", masterId: null, health, slots };
}

const replica: ClusterNode = { ...master("r", []), port: 6380, role: "replica", masterId: "a" };

describe("Topology", () => {
  it("tells the owner of a slot", () => {
    const topology = new Topology([
      replica,
      master("a", [
        [0, 5],
        [16383, 16383],
      ]),
      master("b", [[7, 8]]),
    ]);
    expect([0, 5, 16383].map((slot) => topology.ownerOf(slot)?.id)).toEqual(["a", "a", "a"]);
    expect([7, 8].map((slot) => topology.ownerOf(slot)?.id)).toEqual(["b", "b"]);
    expect([6, 9, 16384, -1].map((slot) => topology.ownerOf(slot))).toEqual([null, null, null, null]);
  });

  it("tells masters, replicas, and who is at an address", () => {
    const a = master("a", []);
    const topology = new Topology([a, replica]);
    expect(topology.masters).toEqual([a]);
    expect(topology.replicasOf(a)).toEqual([replica]);
    expect(topology.at({ host: "h", port: 6380 })).toBe(replica);
    expect(topology.at({ host: "h", port: 1 })).toBeNull();
  });

  it("is complete when every slot is served by somebody who lives", () => {
    expect(new Topology([master("a", [[0, 16383]])]).isComplete).toBe(true);
    expect(new Topology([master("a", [[0, 16383]], "suspect")]).isComplete).toBe(true);
    expect(new Topology([master("a", [[0, 16383]], "failed")]).isComplete).toBe(false);
    expect(new Topology([master("a", [[0, 16382]])]).isComplete).toBe(false);
    expect(new Topology([]).isComplete).toBe(false);
  });

  it("every slot belongs to whoever lists it", () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 16383 }), { maxLength: 8 });
    fc.assert(
      fc.property(cuts, fc.nat(16383), (unsorted, slot) => {
        const starts = [0, ...unsorted.sort((x, y) => x - y)];
        const nodes = starts.map((first, i) => master(`${i}`, [[first, (starts[i + 1] ?? 16384) - 1]]));
        const [first, last] = new Topology(nodes).ownerOf(slot)!.slots[0]!;
        expect(slot >= first && slot <= last).toBe(true);
      }),
    );
  });
});
