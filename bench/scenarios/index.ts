import { allocation } from "./allocation.ts";
import { IDLE } from "./idle.ts";
import type { Scenario } from "./scenario.ts";
import { START } from "./start.ts";
import { SUBSCRIPTIONS } from "./subscriptions.ts";

export const SCENARIOS: readonly Scenario[] = [allocation, SUBSCRIPTIONS, IDLE, START];
