import { describe, expect, it } from "vitest";
import type { Connection, ConnectionOptions } from "../../src/zmtp/index.ts";
import { connected } from "../support/greeting.ts";
import { hex } from "../support/hex.ts";
import { drain, Link, written } from "../support/link.ts";

const PING = hex('04 07 04 "PING" 00 00');
const PONG = hex('04 05 04 "PONG"');
const NEVER = Number.POSITIVE_INFINITY;

function sub(options: Partial<ConnectionOptions>, minor: 0 | 1 = 1): Connection {
  return connected({ socketType: "SUB", ...options }, "PUB", minor);
}

/** Ticks whenever asked, until `until`. @returns when it was found dead, else `null`. */
function run(connection: Connection, until: number): number | null {
  while (connection.wakeAt <= until) {
    const now = connection.wakeAt;
    try {
      connection.tick(now);
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_ZMTP_HEARTBEAT_TIMEOUT" });
      expect(connection.stage).toBe("closed");
      expect(connection.output()).toEqual([]);
      return now;
    }
  }
  return null;
}

function hear(connection: Connection, now: number, bytes: Uint8Array): void {
  connection.received(now);
  connection.push(bytes.slice());
  drain(connection);
}

describe("HB-5: PING every heartbeatInterval", () => {
  it("is off by default", () => {
    expect(sub({}).wakeAt).toBe(NEVER);
  });

  it("HB-6: begins when the handshake is complete", () => {
    const link = new Link(
      { socketType: "SUB", heartbeatInterval: 1000 },
      { socketType: "PUB", handshakeInterval: 0 },
    );
    expect(link.a.wakeAt).toBe(30_000);
    link.now = 5000;
    link.settle();
    expect(link.a.wakeAt).toBe(6000);
  });

  it("is sent at each interval, and not before", () => {
    const connection = sub({ heartbeatInterval: 1000 });
    connection.tick(999);
    expect(connection.outputLength).toBe(0);
    connection.tick(1000);
    expect(written(connection)).toEqual(PING);
    connection.tick(1000);
    expect(connection.outputLength).toBe(0);
    hear(connection, 1001, PONG);
    expect(connection.wakeAt).toBe(2000);
    connection.tick(2000);
    expect(written(connection)).toEqual(PING);
  });

  it("OP-HEARTBEAT: carries the TTL in tenths of a second", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeToLive: 2590 });
    connection.tick(1000);
    expect(written(connection)).toEqual(hex('04 07 04 "PING" 00 19'));
  });

  it("one that could not leave yet is not doubled", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeout: 0 });
    run(connection, 10_000);
    expect(written(connection)).toEqual(PING);
    run(connection, 11_000);
    expect(written(connection)).toEqual(PING);
  });
});

describe("HB-5: the timeout", () => {
  it.each([
    [-1, 1000, 2010],
    [300, 1000, 1310],
    [2500, 1000, 3510],
  ])(
    "heartbeatTimeout %i at an interval of %i: a silent peer is dead at %i",
    (heartbeatTimeout, heartbeatInterval, at) => {
      expect(run(sub({ heartbeatInterval, heartbeatTimeout }), 20_000)).toBe(at);
    },
  );

  it("0 is never", () => {
    expect(run(sub({ heartbeatInterval: 1000, heartbeatTimeout: 0 }), 100_000)).toBeNull();
  });

  it("runs from the first PING that was not answered, later ones do not put it off", () => {
    expect(run(sub({ heartbeatInterval: 1000, heartbeatTimeout: 4500 }), 20_000)).toBe(5510);
  });

  it("B-40: any traffic is a sign of life, also half a frame", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeout: 500 });
    for (let now = 1000; now < 20_000; now += 1000) {
      connection.tick(now);
      hear(connection, now + 490, hex("00"));
      if (now === 1000) hear(connection, now + 490, hex("05"));
    }
    expect(connection.stage).toBe("traffic");
  });

  it("two idle ends keep each other alive", () => {
    const options = { heartbeatInterval: 1000, heartbeatTimeout: 500, heartbeatTimeToLive: 1500 };
    const link = new Link({ socketType: "SUB", ...options }, { socketType: "PUB", ...options })
      .settle()
      .pass(600_000);
    expect([link.a.stage, link.b.stage]).toEqual(["traffic", "traffic"]);
    expect(link.seen.a.filter((event) => event.type === "pong")).toHaveLength(600);
  });
});

describe("HB-4: the TTL of the peer's PING (C-65, C-66)", () => {
  it.each([
    ["00 02", 200],
    ["02 90", 65_600],
    ["FF FF", 6_553_500],
  ])("TTL %s: dead after %i ms of silence", (ttl, ms) => {
    const connection = sub({});
    hear(connection, 7, hex(`04 07 04 "PING" ${ttl}`));
    expect(connection.wakeAt).toBe(7 + ms);
    expect(run(connection, 1e7)).toBe(7 + ms + 10);
  });

  it("0 asks for nothing", () => {
    const connection = sub({});
    hear(connection, 7, PING);
    expect(connection.wakeAt).toBe(NEVER);
  });

  it("any traffic cancels it, until the next PING", () => {
    const connection = sub({});
    hear(connection, 0, hex('04 07 04 "PING" 00 02'));
    hear(connection, 199, hex('00 01 "a"'));
    expect(connection.wakeAt).toBe(NEVER);
    hear(connection, 1000, hex('04 07 04 "PING" 00 02'));
    expect(run(connection, 5000)).toBe(1210);
  });
});

describe("late timers: a deadline that fires late is judged after one more read turn", () => {
  it("a blocked process that then hears the PONG keeps its peer", () => {
    const connection = sub({ heartbeatInterval: 1000 });
    connection.tick(1000);
    connection.tick(60_000);
    expect(connection.stage).toBe("traffic");
    expect(connection.wakeAt).toBe(60_010);
    hear(connection, 60_001, PONG);
    expect(run(connection, 61_500)).toBeNull();
  });

  it("one that hears nothing then loses it", () => {
    const connection = sub({ heartbeatInterval: 1000 });
    connection.tick(1000);
    connection.tick(60_000);
    expect(() => connection.tick(60_010)).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_HEARTBEAT_TIMEOUT" }),
    );
  });

  it("ticking twice at the same moment is no read turn", () => {
    const connection = sub({ heartbeatInterval: 1000 });
    connection.tick(1000);
    connection.tick(2000);
    connection.tick(2000);
    expect(connection.stage).toBe("traffic");
  });
});

describe("while we do not read, silence proves nothing", () => {
  it("a PING that was sent before has its deadline anew from resume on", () => {
    const connection = sub({ heartbeatInterval: 10_000, heartbeatTimeout: 500 });
    connection.tick(10_000);
    connection.suspend();
    expect(connection.wakeAt).toBe(20_000);
    connection.resume(15_000);
    expect(connection.wakeAt).toBe(15_500);
    expect(run(connection, 19_000)).toBe(15_510);
  });

  it("PINGs are still sent, and judged from resume on", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeout: 500 });
    connection.suspend();
    expect(run(connection, 8500)).toBeNull();
    expect(written(connection)).toEqual(PING);
    connection.resume(8500);
    expect(run(connection, 20_000)).toBe(9010);
  });

  it("what is heard after resume counts", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeout: 500 });
    connection.suspend();
    run(connection, 8500);
    connection.resume(8500);
    hear(connection, 8600, PONG);
    expect(connection.wakeAt).toBe(9000);
  });

  it("the peer's TTL stands still too", () => {
    const connection = sub({});
    hear(connection, 0, hex('04 07 04 "PING" 00 02'));
    connection.suspend();
    expect(connection.wakeAt).toBe(NEVER);
    connection.resume(5000);
    expect(run(connection, 9000)).toBe(5210);
  });

  it("a TTL that comes while suspended runs from resume on", () => {
    const connection = sub({});
    connection.suspend();
    hear(connection, 100, hex('04 07 04 "PING" 00 02'));
    expect(connection.wakeAt).toBe(NEVER);
    connection.resume(5000);
    expect(connection.wakeAt).toBe(5200);
  });

  it("resume without suspend changes nothing", () => {
    const connection = sub({ heartbeatInterval: 1000, heartbeatTimeout: 500 });
    connection.tick(1000);
    connection.resume(1400);
    expect(run(connection, 1600)).toBe(1510);
  });
});

describe("heartbeatPeers", () => {
  it("all: a 3.0 peer is pinged, as libzmq does", () => {
    expect(sub({ heartbeatInterval: 1000 }, 0).wakeAt).toBe(1000);
  });

  it("able: a 3.1 peer is, a 3.0 peer is not until it has sent a PING itself", () => {
    const options = { heartbeatInterval: 1000, heartbeatPeers: "able" } as const;
    expect(sub(options, 1).wakeAt).toBe(1000);
    const old = sub(options, 0);
    expect(old.wakeAt).toBe(NEVER);
    expect(run(old, 60_000)).toBeNull();
    hear(old, 60_000, PING);
    expect(old.wakeAt).toBe(61_000);
  });
});
