import { describe, expect, it } from "vitest";
import {
  readMaster,
  readRole,
  readSentinels,
  readSwitch,
} from "../../../src/redis-resp/sentinel/sentinel-replies.ts";
import { resp2, resp3 } from "../cluster/replies.ts";

describe.each([
  ["RESP2", resp2],
  ["RESP3", resp3],
])("what redis-sentinel 7.0 says, in %s", (_, form) => {
  it("the address of a master, or null", () => {
    expect(readMaster(form(["127.0.0.1", "6379"]))).toEqual({ host: "127.0.0.1", port: 6379 });
    expect(readMaster(null)).toBeNull();
  });

  it("other sentinels", () => {
    const reply = form([
      { name: "a1b2", ip: "127.0.0.1", port: "26379", runid: "a1b2", flags: "sentinel" },
      { name: "c3d4", ip: "::1", port: "26380" },
      { name: "e5f6" },
    ]);
    expect(readSentinels(reply)).toEqual([
      { host: "127.0.0.1", port: 26379 },
      { host: "::1", port: 26380 },
    ]);
  });

  it("the role", () => {
    expect(readRole(form(["master", 3129659, [["127.0.0.1", "9001", "3129242"]]]))).toBe("master");
    expect(readRole(form(["slave", "127.0.0.1", 9000, "connected", 3167038]))).toBe("slave");
  });

  it.each(["OK", 7, [], ["127.0.0.1"], ["", "6379"], ["127.0.0.1", "0"], ["127.0.0.1", "x"]])(
    "%j is no address",
    (reply) => {
      expect(() => readMaster(form(reply))).toThrow(expect.objectContaining({ code: "EPROTO" }));
    },
  );

  it("what is no list, and no role", () => {
    for (const read of [readSentinels, readRole])
      expect(() => read(form("OK"))).toThrow(expect.objectContaining({ code: "EPROTO" }));
  });
});

describe("+switch-master", () => {
  it("the name, the old address, the new one", () => {
    expect(readSwitch("mymaster 127.0.0.1 6379 ::1 6380")).toEqual({
      name: "mymaster",
      address: { host: "::1", port: 6380 },
    });
  });

  it.each(["", "mymaster", "mymaster 127.0.0.1 6379 127.0.0.1", "mymaster 127.0.0.1 6379 127.0.0.1 0"])(
    "nothing else: %j",
    (text) => expect(readSwitch(text)).toBeNull(),
  );
});
