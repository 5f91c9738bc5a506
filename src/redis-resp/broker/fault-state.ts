import type { NodeAddress } from "../cluster/topology.ts";

/** The faults that last until they are cleared. */
export class FaultState {
  frozen = false;
  /** Commands, in lower case, that are refused. */
  readonly commands: Set<string> = new Set();
  /** Channels and patterns, each taken literally, that are refused. One character per byte. */
  readonly channels: Set<string> = new Set();
  /** Slots that belong to another node. */
  readonly moved: Map<number, NodeAddress> = new Map();
}
