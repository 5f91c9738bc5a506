import { afterAll, beforeAll, describe } from "vitest";
import * as zmtp from "../../src/index.ts";
import { type Children, useChildren } from "../support/children.ts";
import { describeWithPython } from "../support/peers.ts";
import { localPeer, type Peer, type ProcessPeer, startPyzmq, startZeromq } from "./peers/peer.ts";
import type { Library } from "./peers/station.ts";

/** This library in this process, and the other implementation in a process of its own. */
export interface Sides {
  readonly ours: Peer;
  readonly theirs: ProcessPeer;
}

/** Describes the same tests for each libzmq at hand. `sides()` is there once the tests run. */
export function describeWithLibzmq(name: string, body: (sides: () => Sides) => void): void {
  describe(`${name}, with npm zeromq (libzmq 4.3.5)`, () => body(useSides(startZeromq)));
  describeWithPyzmq(name, body);
}

/** Describes tests that need to wait in libzmq's send, which zeromq.js does not do everywhere. */
export function describeWithPyzmq(name: string, body: (sides: () => Sides) => void): void {
  describeWithPython(`${name}, with python3-zmq`, (python) =>
    body(useSides((children) => startPyzmq(children, python))),
  );
}

/** Describes tests that need libzmq 4.3.5. */
export function describeWithZeromq(name: string, body: (sides: () => Sides) => void): void {
  describe(`${name}, with npm zeromq (libzmq 4.3.5)`, () => body(useSides(startZeromq)));
}

function useSides(start: (children: Children) => Promise<ProcessPeer>): () => Sides {
  const children = useChildren("file");
  const ours = localPeer("ours", zmtp as unknown as Library);
  let sides: Sides | undefined;
  beforeAll(async () => {
    sides = { ours, theirs: await start(children) };
  });
  afterAll(() => ours.closeAll());
  return () => sides!;
}
