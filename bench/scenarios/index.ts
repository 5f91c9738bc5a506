import { allocation } from "./allocation.ts";
import { events } from "./events.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: readonly Scenario[] = [allocation, events];
