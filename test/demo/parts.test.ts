import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Board } from "../../examples/demo/board.ts";
import { displayFor, latency } from "../../examples/demo/display.ts";
import { Histogram } from "../../examples/demo/histogram.ts";
import { HELP, parseOptions, UsageError } from "../../examples/demo/options.ts";
import { Pace } from "../../examples/demo/pace.ts";
import { Rows } from "../../examples/demo/rows.ts";
import { topicsOf } from "../../examples/demo/scene.ts";
import { outcome, summaryLines } from "../../examples/demo/summary.ts";
import { eventValue, readValue } from "../../examples/demo/value.ts";
import { within } from "../../examples/demo/within.ts";

describe("The demo's options", () => {
  const defaults = {
    ...{ seconds: 12, writers: 3, controllers: 4, rate: 10_000 },
    ...{ valueSize: 128, wire: "map", driver: "zmq", redis: null, dropOne: false },
  };

  it("have defaults", () => {
    expect(parseOptions([])).toEqual(defaults);
  });

  it("are all taken", () => {
    const line =
      "--seconds 1.5 --writers 1 --controllers=2 --rate 50 --value-size 64 --wire json " +
      "--driver redis --redis [::1]:6379 --drop-one";
    expect(parseOptions(line.split(" "))).toEqual({
      ...{ seconds: 1.5, writers: 1, controllers: 2, rate: 50 },
      ...{ valueSize: 64, wire: "json", driver: "redis", redis: "[::1]:6379", dropOne: true },
    });
    expect(parseOptions(["--forever"])).toEqual({ ...defaults, seconds: null });
    expect(parseOptions(["--writers", "0", "--help"])).toBe("help");
  });

  it.each([
    ["--fast", /--fast/],
    ["7", /7/],
    ["--seconds", /--seconds/],
    ["--seconds 0", /--seconds must be a number from 1 to 86400, not "0"/],
    ["--seconds=", /--seconds must be a number/],
    ["--seconds x", /--seconds must be a number/],
    ["--forever --seconds 3", /exclude/],
    ["--writers 1.5", /--writers must be a whole number from 1 to 64, not "1.5"/],
    ["--controllers 0", /--controllers/],
    ["--rate NaN", /--rate/],
    ["--value-size 63", /--value-size must be a whole number from 64/],
    ["--driver etcd", /--driver must be zmq or redis, not etcd/],
    ["--redis 127.0.0.1:6379", /--redis goes with --driver redis only/],
    ["--driver redis --redis 6379", /--redis must be HOST:PORT, not 6379/],
    ["--wire xml", /--wire must be map or json, not xml/],
  ])("refuse %s", (line, message) => {
    expect(() => parseOptions(line.split(" "))).toThrow(UsageError);
    expect(() => parseOptions(line.split(" "))).toThrow(message);
  });

  it("are all in the help", () => {
    for (const name of [...Object.keys({ seconds: 0, forever: 0, writers: 0, controllers: 0, rate: 0 })]) {
      expect(HELP).toContain(`--${name} `);
    }
    for (const name of ["--value-size ", "--wire ", "--driver ", "--redis ", "--drop-one ", "--help "])
      expect(HELP).toContain(name);
  });
});

describe("The demo's histogram", () => {
  it("has no quantile of nothing", () => {
    expect(new Histogram().quantile(0.5)).toBeNull();
  });

  it("rounds up by at most 1/32, and 1 us, at every size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 35 }), (microseconds) => {
        const histogram = new Histogram();
        histogram.record(microseconds / 1000);
        const found = histogram.quantile(1)! * 1000;
        expect(found).toBeGreaterThanOrEqual(microseconds);
        expect(found).toBeLessThanOrEqual(Math.max(microseconds * (1 + 1 / 32), microseconds) + 1.001);
      }),
    );
  });

  it("finds the median and the 99th percentile of 1 to 100 ms", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 100; ms += 1) histogram.record(ms);
    expect(histogram.quantile(0.5)).toBeGreaterThanOrEqual(50);
    expect(histogram.quantile(0.5)).toBeLessThan(52);
    expect(histogram.quantile(0.99)).toBeGreaterThanOrEqual(99);
    expect(histogram.quantile(0.99)).toBeLessThan(102.1);
  });

  it("travels in parts that add up", () => {
    const here = new Histogram();
    const there = new Histogram();
    for (const ms of [1, 1, 50]) there.record(ms);
    here.merge(there.take());
    expect(there.take()).toEqual([]);
    there.record(50);
    here.merge(there.take());
    expect(here.take().map(([, count]) => count)).toEqual([2, 2]);
  });

  it("takes what is out of its range for its ends", () => {
    const histogram = new Histogram();
    histogram.record(-5);
    expect(histogram.quantile(1)).toBe(0.001);
    histogram.record(2 ** 40);
    expect(histogram.quantile(1)).toBe(2 ** 36 / 1000);
  });
});

describe("The demo's rows", () => {
  const row = (n: number, key = "k1", writer = 0) => ({ topic: "tenant-1", key, writer, n });

  it("keep the newest of each writer", () => {
    const rows = new Rows();
    for (const one of [row(2), row(1), row(1, "k1", 1)]) rows.put(one);
    expect(rows.ofTopics(["tenant-1"])).toEqual([row(2), row(1, "k1", 1)]);
    expect(rows.ofTopics(["tenant"])).toEqual([]);
  });

  it("differ by what is missing, too much or another", () => {
    const rows = new Rows();
    rows.replace([row(1), row(5, "k2"), row(7, "k3")]);
    expect(rows.differences([row(1), row(5, "k2"), row(7, "k3")])).toBe(0);
    expect(rows.differences([row(2), row(5, "k2"), row(9, "k4")])).toBe(3);
    rows.replace([]);
    expect(rows.differences([])).toBe(0);
  });
});

describe("The demo's topics", () => {
  it("overlap between neighbours, and one is for all", () => {
    expect(topicsOf(0, 3)).toEqual(["tenant-1", "tenant-2", "D"]);
    expect(topicsOf(2, 3)).toEqual(["tenant-3", "tenant-1", "D"]);
    expect(topicsOf(0, 1)).toEqual(["tenant-1", "D"]);
  });
});

describe("The demo's pace", () => {
  it("keeps a rate over fractions of events", () => {
    const pace = new Pace(150, 1000);
    const due = [1005, 1010, 1015, 1020, 1040].map((now) => pace.due(now));
    expect(due).toEqual([0, 1, 1, 1, 3]);
  });

  it("makes up for half a second at most", () => {
    expect(new Pace(100, 0).due(10_000)).toBe(50);
  });
});

describe("The demo's values", () => {
  it("have the size asked for, and tell who, what and when", () => {
    const told = { writer: 63, n: 1_000_000_000, sentAt: 31_536_000_000.125 };
    for (const size of [64, 128, 1000]) {
      const value = eventValue(told, size);
      expect(Buffer.byteLength(value)).toBe(size);
      expect(readValue(value)).toMatchObject(told);
    }
  });
});

describe("The demo's figures and summary", () => {
  it("are rates since the last figures", () => {
    const board = new Board(1000);
    const totals = {
      sent: 100,
      refused: 1,
      kills: 0,
      controllers: [{ topics: ["D"], received: 30, syncs: 0 }],
    };
    board.addLatencies([[2, 30]]);
    expect(board.figures(1500, totals)).toMatchObject({
      elapsed: 0.5,
      sentRate: 200,
      receivedRate: 60,
      p50: 0.003,
    });
    expect(board.figures(2500, { ...totals, sent: 150 })).toMatchObject({
      sentRate: 50,
      receivedRate: 0,
      p99: null,
    });
    expect(board.latencies.quantile(0.99)).toBe(0.003);
  });

  it("account for each controller over its topics, and say what is wrong", () => {
    const stream = {
      writer: 0,
      topic: "D",
      received: 3,
      duplicates: 0,
      highest: 4,
      gaps: [[2, 2]],
      synced: 2,
    } as const;
    const report = { topics: ["D", "tenant-1"], streams: [stream], syncs: 1, differences: 0 };
    const writer = {
      topics: {
        D: { sent: 4, refused: 1 },
        "tenant-1": { sent: 0, refused: 0 },
        "tenant-2": { sent: 9, refused: 9 },
      },
    };
    const result = outcome([writer], [report], { victim: "publisher service", count: 1 });
    expect(result.faults).toEqual([]);
    expect(summaryLines(result)[2]!.trim().split(/ {2,}/)).toEqual([
      "1",
      "4",
      "3",
      "1",
      "0",
      "0",
      "1",
      "1",
      "equal",
      "D tenant-1",
    ]);
    expect(summaryLines(result).at(-1)).toMatch(/^OK/);
    const unheard = outcome([writer, writer], [report], { victim: "publisher service", count: 1 });
    expect(unheard.accounts[0]).toMatchObject({ sent: 8, received: 3, covered: 1, uncovered: 4 });
    expect(summaryLines(unheard).at(-1)).toMatch(/^FAILED: controller 1: 4 events/);
  });

  it("show latencies with the digits that matter", () => {
    expect([null, 0.4567, 12.3].map(latency)).toEqual(["-", "0.46 ms", "12 ms"]);
  });
});

describe("The demo's display", () => {
  const figures = {
    ...{ elapsed: 1, sentRate: 10, receivedRate: 20, refused: 0, p50: 1, p99: 2, kills: 0 },
    controllers: [{ topics: ["tenant-1", "D"], received: 20, syncs: 1 }],
  };
  function written(isTTY: boolean, columns = 40): string {
    let text = "";
    const stream = { isTTY, columns, write: (part: string) => (text += part) };
    const display = displayFor(stream as unknown as NodeJS.WriteStream);
    display.figures(figures);
    display.note("a note");
    display.figures(figures);
    display.end();
    display.note("the end");
    return text;
  }

  it("writes plain lines where there is no terminal", () => {
    const line =
      "  1.0 s  10 events/s sent, 20/s received; latency p50 1.00 ms, p99 2.00 ms; 0 refused, 0 kills";
    const both = `${line}; received/syncs of controllers 1: 20/1\n`;
    expect(written(false)).toBe(`${both}a note\n${both}the end\n`);
  });

  it("draws one block anew on a terminal, notes above it, no line wider than the screen", () => {
    const head = ["  1.0 s  10 events/s sent, 20/s receive", "latency p50 1.00 ms, p99 2.00 ms; 0 ref"];
    const block = [...head, "  controller 1          20 received  1 "];
    for (const line of block) expect(line.length).toBe(39);
    const drawn = block.map((line) => `${line}\n`).join("");
    const back = "\u001b[3A\r\u001b[J";
    expect(written(true)).toBe(`${drawn}${back}a note\n${drawn}${back}${drawn}the end\n`);
  });

  it("takes a terminal that does not know its width for one of 80 columns", () => {
    expect(written(true, 0)).toContain("  controller 1          20 received  1 syncs  tenant-1 D\n");
  });
});

describe("The demo's patience", () => {
  const signal = new AbortController().signal;

  it("gives what comes in time", async () => {
    expect(await within(Promise.resolve(5), 1000, signal, "five")).toBe(5);
    await expect(within(Promise.reject(new Error("no")), 1000, signal, "five")).rejects.toThrow("no");
  });

  it("ends in time, and at once when all ends", async () => {
    const never = new Promise(() => {});
    await expect(within(never, 5, signal, "the end")).rejects.toThrow("Waited 5 ms in vain for the end");
    const controller = new AbortController();
    const waiting = within(never, 60_000, controller.signal, "the end");
    controller.abort(new Error("over"));
    await expect(waiting).rejects.toThrow("over");
    await expect(within(never, 60_000, controller.signal, "the end")).rejects.toThrow("over");
  });
});
