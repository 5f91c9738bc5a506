import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRedirect } from "../../../src/redis-resp/cluster/redirect.ts";

const ASKED = "10.0.0.9";

describe("MOVED and ASK", () => {
  it("name the slot and the node to go to", () => {
    expect(parseRedirect("MOVED 3999 127.0.0.1:6381", ASKED)).toEqual({
      kind: "MOVED",
      slot: 3999,
      target: { host: "127.0.0.1", port: 6381 },
    });
    expect(parseRedirect("ASK 0 node-b.example:65535", ASKED)).toEqual({
      kind: "ASK",
      slot: 0,
      target: { host: "node-b.example", port: 65535 },
    });
  });

  it("an empty host is the one that was asked", () => {
    expect(parseRedirect("MOVED 16383 :6379", ASKED)?.target).toEqual({ host: ASKED, port: 6379 });
  });

  it("IPv6 has no brackets: the port stands behind the last colon", () => {
    expect(parseRedirect("MOVED 7365 ::1:25121", ASKED)?.target).toEqual({ host: "::1", port: 25121 });
    expect(parseRedirect("ASK 1 fe80::1%eth0:1", ASKED)?.target).toEqual({ host: "fe80::1%eth0", port: 1 });
  });

  it("a name that the server does not know is nobody's", () => {
    expect(parseRedirect("MOVED 15495 ?:27599", ASKED)).toEqual({ kind: "MOVED", slot: 15495, target: null });
  });
});

describe("what is no redirection", () => {
  it.each([
    "MOVED __proto__ x:1",
    "MOVED constructor x:1",
    "MOVED 16384 x:1",
    "MOVED 99999 127.0.0.1:6379",
    "MOVED -1 x:1",
    "MOVED 1.5 x:1",
    "MOVED 1e3 x:1",
    "MOVED 1 x:0",
    "MOVED 1 x:65536",
    "MOVED 1 x:",
    "MOVED 1 x",
    "MOVED 1",
    "MOVED",
    "MOVED 1 x:1 y:2",
    "moved 1 x:1",
    "ERR MOVED 1 x:1",
    "TRYAGAIN Multiple keys request during rehashing of slot",
    "",
  ])("%s", (text) => {
    expect(parseRedirect(text, ASKED)).toBeNull();
  });

  it("any text gives a redirection that can be followed, or none", () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .tuple(
          fc.constantFrom("MOVED", "ASK"),
          fc.oneof(fc.integer(), fc.string()),
          fc.string(),
          fc.integer(),
        )
        .map(([kind, slot, host, port]) => `${kind} ${slot} ${host}:${port}`),
    );
    fc.assert(
      fc.property(text, (line) => {
        const redirect = parseRedirect(line, ASKED);
        if (redirect === null) return;
        expect(redirect.slot >= 0 && redirect.slot <= 16383).toBe(true);
        const { host, port } = redirect.target ?? { host: "-", port: 1 };
        expect(host.length > 0 && port >= 1 && port <= 65535).toBe(true);
      }),
    );
  });

  it("what is put together is taken apart", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("MOVED" as const, "ASK" as const),
        fc.nat(16383),
        fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
        fc.integer({ min: 1, max: 65535 }),
        (kind, slot, host, port) => {
          const target = { host, port };
          expect(parseRedirect(`${kind} ${slot} ${host}:${port}`, ASKED)).toEqual({ kind, slot, target });
        },
      ),
    );
  });
});
