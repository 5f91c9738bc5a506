import type { Scenario } from "../scenarios/scenario.ts";
import { broker } from "./broker.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { publish } from "./publish.ts";
import { receive } from "./receive.ts";
import { recovery } from "./recovery.ts";

export const REDIS_SCENARIOS: readonly Scenario[] = [
  publish,
  ...receive,
  latency,
  memory,
  ...recovery,
  broker,
];
