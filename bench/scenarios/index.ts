import { allocation } from "./allocation.ts";
import { events } from "./events.ts";
import { fanOut } from "./fan-out.ts";
import { saturating } from "./saturating.ts";
import type { Scenario } from "./scenario.ts";
import { stalled } from "./stalled.ts";

export const SCENARIOS: readonly Scenario[] = [fanOut, stalled, saturating, events, allocation];
