import { allocation } from "./allocation.ts";
import { events } from "./events.ts";
import { fanOut } from "./fan-out.ts";
import { idle } from "./idle.ts";
import { nonMatching } from "./non-matching.ts";
import { saturating } from "./saturating.ts";
import type { Scenario } from "./scenario.ts";
import { stalled } from "./stalled.ts";
import { start } from "./start.ts";
import { subscriptions } from "./subscriptions.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...fanOut,
  nonMatching,
  stalled,
  subscriptions,
  idle,
  saturating,
  events,
  start,
  allocation,
];
