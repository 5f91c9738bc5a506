import { describe, expect, it } from "vitest";
import { firstKey } from "../../../src/redis-resp/cluster/first-key.ts";

function keyIn(command: string): string | Uint8Array | null {
  return firstKey(command.split(" "));
}

describe("the first key, as COMMAND GETKEYS of redis-server 7.0 has it", () => {
  it.each([
    ["GET k", "k"],
    ["get k", "k"],
    ["SET k v", "k"],
    ["MSET k v l w", "k"],
    ["SPUBLISH k v", "k"],
    ["ZUNIONSTORE k 2 a b", "k"],
    ["BITOP AND k a b", "k"],
    ["OBJECT ENCODING k", "k"],
    ["MEMORY USAGE k", "k"],
    ["XGROUP CREATE k g $", "k"],
    ["XINFO STREAM k", "k"],
    ["ZUNION 2 k b", "k"],
    ["LMPOP 1 k LEFT", "k"],
    ["BZMPOP 0 1 k MIN", "k"],
    ["EVAL script 1 k v", "k"],
    ["FCALL f 1 k", "k"],
    ["XREAD COUNT 2 STREAMS k l 0 0", "k"],
    ["XREADGROUP GROUP g c streams k >", "k"],
  ])("%s", (command, key) => expect(keyIn(command)).toBe(key));

  it.each([
    "PING",
    "PUBLISH c m",
    "INFO server",
    "SCAN 0",
    "EVAL script 0",
    "FCALL f 0 x",
    "CLUSTER SLOTS",
    "GET",
  ])("none: %s", (command) => expect(keyIn(command)).toBeNull());

  it("bytes stay bytes, numbers become their digits", () => {
    const bytes = Uint8Array.of(0xff, 0);
    expect(firstKey(["GET", bytes])).toBe(bytes);
    expect(firstKey([Buffer.from("get"), 12])).toBe("12");
    expect(firstKey(["GET", 10n ** 20n])).toBe("100000000000000000000");
  });
});
