/** Another node, as clients are told of it. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** The faults that last until they are cleared. */
export class FaultState {
  frozen = false;
  /** Commands, in lower case, that are refused. */
  readonly commands = new Set<string>();
  /** Channels and patterns, each taken literally, that are refused. One character per byte. */
  readonly channels = new Set<string>();
  /** Slots that belong to another node. */
  readonly moved = new Map<number, NodeAddress>();
}
