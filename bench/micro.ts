import { readdirSync } from "node:fs";

const FOLDER = new URL("micro/", import.meta.url);

/** Runs micro/*.bench.ts one after the other, or those whose name has one of `only` in it. */
export async function runMicroBenchmarks(only: readonly string[]): Promise<void> {
  const files = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".bench.ts"))
    .filter((file) => only.length === 0 || only.some((part) => file.includes(part)));
  if (files.length === 0) throw new Error("--only leaves nothing to measure");
  for (const file of files) {
    const { run } = (await import(new URL(file, FOLDER).href)) as { run: () => Promise<unknown> };
    await run();
  }
}
