import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const TOP = 25;

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

/** The part of a file's place that tells something. */
function shortPlace(url: string, lineNumber: number): string {
  if (url === "") return "";
  return ` ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
}

/** The functions that took the most time themselves, as lines of "percent name place"; idle time is left out. */
export function topFunctions(profile: CpuProfile): string[] {
  const names = new Map<number, string>();
  for (const { id, callFrame } of profile.nodes) {
    const { functionName, url, lineNumber } = callFrame;
    names.set(id, `${functionName || "(anonymous)"}${shortPlace(url, lineNumber)}`);
  }
  const micros = new Map<string, number>();
  let total = 0;
  profile.samples.forEach((id, i) => {
    const name = names.get(id)!;
    if (name === "(idle)" || name === "(root)") return;
    const delta = profile.timeDeltas[i]!;
    micros.set(name, (micros.get(name) ?? 0) + delta);
    total += delta;
  });
  return [...micros]
    .sort(([, a], [, b]) => b - a)
    .slice(0, TOP)
    .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`);
}

/** The program that a profile is of: the file of the project's that is on its stack and is no module of the library. */
function programOf(profile: CpuProfile): string {
  const urls = profile.nodes.map(({ callFrame }) => callFrame.url);
  const file = urls.find((url) => /\/bench\/programs\/(?!control|sockets|net\.)/.test(url));
  return file?.split("/").at(-1) ?? "unknown program";
}

export function summarizeProfiles(folder: string): string {
  const parts = readdirSync(folder).map((file) => {
    const profile = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    return `${programOf(profile)} (${join(folder, file)})\n${topFunctions(profile).join("\n")}\n`;
  });
  return parts.join("\n");
}
