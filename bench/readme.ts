// Puts the tables and the plot of the newest saved results into README.md, those of scenarios into docs/benchmarks.md,
// those about Redis into docs/benchmarks-redis.md: npm run bench:readme [-- FILE.json...]
import { readFileSync, writeFileSync } from "node:fs";
import { plotThroughput } from "./plot.ts";
import { formatComparisons } from "./redis/report.ts";
import { formatReport } from "./report.ts";
import { kindOf, newestSaved, readResult } from "./results.ts";
import { formatScenarios } from "./scenarios/report.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";
const README = new URL("../README.md", import.meta.url);
const PAGE = new URL("../docs/benchmarks.md", import.meta.url);
const PAGE_LINK =
  "Many subscribers and topics, idle connections, Dragonflow's events end to end, loading: [docs/benchmarks.md](docs/benchmarks.md).";
const PAGE_INTRODUCTION =
  "By `npm run bench -- --scenarios --save`, written by `npm run bench:readme`. The rates between two processes are in the README.";
const REDIS_PAGE = new URL("../docs/benchmarks-redis.md", import.meta.url);
const REDIS_LINK =
  "Redis beside ioredis and node-redis, publishing, receiving, latency, memory, recovery in a cluster: [docs/benchmarks-redis.md](docs/benchmarks-redis.md).";
const REDIS_INTRODUCTION =
  "By `npm run bench -- --redis --save`, written by `npm run bench:readme`. Each client in a process of its own, in turn within each round.";
const PLOT = "bench/results/throughput.svg";

const given = process.argv.slice(2).map(readResult);
const cells = given.find((result) => kindOf(result) === "cells") ?? newestSaved("cells");
const scenarios = given.find((result) => kindOf(result) === "scenarios") ?? newestSaved("scenarios");
const redis = given.find((result) => kindOf(result) === "redis") ?? newestSaved("redis");

const sections: string[] = [];
const plot = cells === null ? null : plotThroughput(cells);
if (plot !== null) {
  writeFileSync(new URL(`../${PLOT}`, import.meta.url), `${plot}\n`);
  sections.push(`![Messages per second by size of the body, all contenders](${PLOT})`);
}
if (cells !== null) sections.push(formatReport(cells));
if (scenarios !== null) {
  sections.push(PAGE_LINK);
  writeFileSync(PAGE, `# Benchmarks\n\n${PAGE_INTRODUCTION}\n\n${formatScenarios(scenarios)}\n`);
}
if (redis !== null) {
  sections.push(REDIS_LINK);
  writeFileSync(REDIS_PAGE, `# Redis benchmarks\n\n${REDIS_INTRODUCTION}\n\n${formatComparisons(redis)}\n`);
}

const readme = readFileSync(README, "utf8");
const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
if (start < 0 || end < start) throw new Error(`README.md has no ${START} followed by ${END}`);
const text = sections.join("\n\n");
writeFileSync(README, `${readme.slice(0, start + START.length)}\n\n${text}\n\n${readme.slice(end)}`);
