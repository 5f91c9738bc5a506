// Puts the tables of a result into README.md: npm run bench:readme [-- bench/results/FILE.json]
import { readFileSync, writeFileSync } from "node:fs";
import { formatReport } from "./report.ts";
import type { BenchResult } from "./results.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";
const README = new URL("../README.md", import.meta.url);
const source = process.argv[2] ?? new URL("results/latest.json", import.meta.url);

const readme = readFileSync(README, "utf8");
const [start, end] = [readme.indexOf(START), readme.indexOf(END)];
if (start < 0 || end < start) throw new Error(`README.md has no ${START} followed by ${END}`);
const report = formatReport(JSON.parse(readFileSync(source, "utf8")) as BenchResult);
writeFileSync(README, `${readme.slice(0, start + START.length)}\n\n${report}\n\n${readme.slice(end)}`);
