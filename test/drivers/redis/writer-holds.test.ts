import { expect, it } from "vitest";
import { DbUpdate } from "../../../src/drivers/index.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

it("an event that is given in the pause before the next attempt keeps the process alive, until it is sent", async () => {
  const sim = new SimulatedCluster([]);
  const writer = sim.driver({ remoteDbHosts: ["10.0.0.1:1"], publishRetryTimes: 1 }).getPublisher();
  await expect(sim.run(writer.initialize())).rejects.toMatchObject({ code: "ECONNREFUSED" });
  expect(sim.left.holds).toBe(0);
  sim.add(1, [1]);
  const sent = writer.sendEvent(new DbUpdate({ table: "t", key: "k", action: "set", topic: "D" }));
  expect(sim.left.holds).toBe(1);
  await sim.advance(60_000);
  await sent;
  expect(sim.left.holds).toBe(0);
  await sim.run(writer.close());
  expect(sim.left).toMatchObject({ timers: 0, holds: 0, streams: 0 });
});
