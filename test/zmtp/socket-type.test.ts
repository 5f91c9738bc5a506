import { describe, expect, it } from "vitest";
import { isCompatible, isSocketType, type SocketType } from "../../src/zmtp/socket-type.ts";

/** RFC 37, "The Socket-Type Property", and the RFCs of the draft types, as pairs. */
const PAIRS = `REQ-REP REQ-ROUTER REP-DEALER DEALER-DEALER DEALER-ROUTER ROUTER-ROUTER PUB-SUB PUB-XSUB XPUB-SUB
  XPUB-XSUB PUSH-PULL PAIR-PAIR CLIENT-SERVER RADIO-DISH SCATTER-GATHER PEER-PEER CHANNEL-CHANNEL`;
const TYPES = `PAIR PUB SUB XPUB XSUB REQ REP DEALER ROUTER PUSH PULL
  CLIENT SERVER RADIO DISH SCATTER GATHER PEER CHANNEL`.split(/\s+/) as SocketType[];

describe("NU-6: Socket-Type", () => {
  it("exactly these pairs may talk, in both directions", () => {
    const allowed = new Set(
      PAIRS.split(/\s+/).flatMap((pair) => [pair, pair.split("-").reverse().join("-")]),
    );
    for (const ours of TYPES) {
      for (const theirs of TYPES) {
        expect([ours, theirs, isCompatible(ours, theirs)]).toEqual([
          ours,
          theirs,
          allowed.has(`${ours}-${theirs}`),
        ]);
      }
    }
  });

  it("is spelled in upper case, with nothing around it", () => {
    for (const name of ["push", "", "PUSH\0", "toString", "__proto__"])
      expect(isSocketType(name)).toBe(false);
    for (const name of TYPES) expect(isSocketType(name)).toBe(true);
  });
});
