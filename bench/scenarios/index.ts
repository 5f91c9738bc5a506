import { allocation } from "./allocation.ts";
import type { Scenario } from "./scenario.ts";
import { SUBSCRIPTIONS } from "./subscriptions.ts";

export const SCENARIOS: readonly Scenario[] = [allocation, SUBSCRIPTIONS];
