import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import {
  announcement,
  brokenGreeting,
  brokenMetadata,
  brokenSession,
  command,
  concat,
  frame,
  greeting,
  type Session,
  session,
  socketType,
  traffic,
  version,
} from "../generators/index.ts";
import { respBytes, respValue } from "../generators/resp.ts";
import { hex } from "../support/hex.ts";
import { MAX_INPUT } from "./mutate.ts";
import type { TargetName } from "./targets.ts";

const FOLDER = new URL("corpus/", import.meta.url);

/** Where each target's inputs come from. */
const SOURCES: Readonly<Record<TargetName, fc.Arbitrary<Uint8Array>>> = {
  decoder: fc.array(frame(), { maxLength: 6 }).map((frames) => concat(frames.map(({ bytes }) => bytes))),
  resp: fc.oneof(
    respBytes(),
    fc.array(respValue(), { maxLength: 4 }).map((values) => concat(values.map(({ bytes }) => bytes))),
  ),
  greeting: fc.oneof(
    version().chain(greeting),
    brokenGreeting().map(({ bytes }) => bytes),
  ),
  metadata: socketType().chain((type) =>
    fc.oneof(
      announcement(type).map(({ metadata }) => metadata),
      brokenMetadata(type).map(({ bytes }) => bytes),
    ),
  ),
  command: socketType()
    .chain(command)
    .map(({ bytes }) => bytes.subarray(2)),
  session: fc.oneof(session(), brokenSession()).map(({ bytes }: Session) => bytes),
  handshake: fc.oneof(session(), brokenSession()).map(({ bytes }: Session) => bytes.subarray(64)),
  traffic: socketType()
    .chain(traffic)
    .map((steps) => concat(steps.map(({ bytes }) => bytes))),
};

/** So many inputs of the generators for that target. */
export function generated(target: TargetName, count: number, seed: number): Uint8Array[] {
  return fc.sample(SOURCES[target], { numRuns: count, seed }).map((bytes) => bytes.slice(0, MAX_INPUT));
}

/** The inputs that are kept in corpus/TARGET.hex: one a line, spelled as for `hex`, `;` begins a comment. */
export function kept(target: TargetName): Uint8Array[] {
  if (!readdirSync(FOLDER).includes(`${target}.hex`)) return [];
  return readFileSync(new URL(`${target}.hex`, FOLDER), "utf8")
    .split("\n")
    .map((line) => line.replace(/;.*/, "").trim())
    .filter((line) => line !== "")
    .map(hex);
}
