import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { Pull } from "../../src/index.ts";
import { until } from "../support/wait.ts";

const WORKERS = 4;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** A PUSH that sends until it is ended, behind the TypeScript loader of the tests. */
const program = `
  const { workerData } = require("node:worker_threads");
  require("tsx/cjs/api").register();
  const { Push } = require(${JSON.stringify(`${root}src/index.ts`)});
  (async () => {
    const push = new Push({ sendHighWaterMark: 10 });
    push.connect(workerData.address);
    for (let n = 0; ; n += 1) await push.send([workerData.name, String(n), "end"]);
  })();
`;

describe("N-24: sockets in worker threads", () => {
  const workers: Worker[] = [];
  let pull: Pull;
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
    await pull.close();
  });

  it("that are terminated in the middle of their traffic: whole messages in order, and the peer sees them go", async () => {
    pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const reasons: string[] = [];
    pull.events.on("disconnect", ({ reason }) => reasons.push(reason));
    const heard = new Map<string, number>();
    const broken: string[][] = [];
    const reading = (async () => {
      for await (const message of pull) {
        const [name, n, end] = message.map(String) as [string, string, string];
        if (Number(n) !== (heard.get(name) ?? 0) || end !== "end") broken.push([name, n, end]);
        heard.set(name, Number(n) + 1);
      }
    })();
    for (let i = 0; i < WORKERS; i += 1) {
      const workerData = { address: pull.lastEndpoint, name: `worker ${i}` };
      workers.push(new Worker(program, { eval: true, workerData }));
    }
    const failed = Promise.race(workers.map(async (worker) => Promise.reject(await once(worker, "error"))));
    await Promise.race([
      until("all are heard", () => [...heard.values()].filter((n) => n > 100).length === WORKERS, 60_000),
      failed,
    ]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    await until("all are gone", () => reasons.length === WORKERS && pull.stats().peers.length === 0);
    expect(reasons.filter((reason) => !["peer", "reset", "protocol"].includes(reason))).toEqual([]);
    expect(broken).toEqual([]);
    await pull.close();
    await reading;
  }, 90_000);
});
