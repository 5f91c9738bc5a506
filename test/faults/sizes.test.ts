import { beforeAll, describe, expect, it } from "vitest";
import { type Child, useChildren } from "../support/children.ts";

/** MiB that a process may grow by: buffers of the system's size for fifty connections, and garbage not collected yet. */
const FLAT = 60;
/** Besides what is in flight: with a message of 1 MB it is a few copies of it, with a million parts their views. */
const FEW_MESSAGES = 250;

/** What the program measured for one case after the other. */
describe("sizes that a peer declares or sends, and the memory that it costs us", () => {
  const children = useChildren("file");
  let program: Child;
  beforeAll(() => {
    const file = new URL("./programs/sizes.ts", import.meta.url).pathname;
    program = children.start(process.execPath, ["--expose-gc", "--import", "tsx", file]);
  });

  async function outcome(name: string): Promise<Record<string, unknown>> {
    return JSON.parse(await program.line((line) => line.includes(`"name":${JSON.stringify(name)}`), 60_000));
  }

  it.each([
    ["2^31", "ERR_ZMTP_MESSAGE_TOO_LARGE"],
    ["2^53", "ERR_ZMTP_FRAME"],
    ["2^63-1", "ERR_ZMTP_FRAME"],
  ])("E16: fifty peers declare %s bytes and send one: closed, another is heard", async (name, code) => {
    const { grown, ...rest } = await outcome(name);
    expect(rest).toEqual({ name, received: "good", closed: 50, codes: [code] });
    expect(grown).toBeLessThan(FLAT);
  });

  it("E16: fifty peers declare just what is allowed and send one byte: kept, and nothing allocated for the rest", async () => {
    const { grown, ...rest } = await outcome("2^30-65");
    expect(rest).toEqual({ name: "2^30-65", received: "good", closed: 0, codes: [] });
    expect(grown).toBeLessThan(FLAT);
  });

  it("E17: a million empty parts in one buffer are one message", async () => {
    const { grown, ...rest } = await outcome("parts");
    expect(rest).toEqual({ name: "parts", parts: 1_000_001, last: "end", codes: [] });
    expect(grown).toBeLessThan(FEW_MESSAGES);
  });

  it("E17: topics of 1 MB, subscribed to and given up again", async () => {
    const { grown, ...rest } = await outcome("topics");
    expect(rest).toEqual({ name: "topics", rounds: 8 });
    expect(grown).toBeLessThan(FEW_MESSAGES);
  });

  it("E20: messages of 1 MB and of 1 B in turn come whole and in order", async () => {
    const { grown, ...rest } = await outcome("alternating");
    expect(rest).toEqual({ name: "alternating", received: 200, codes: [] });
    expect(grown).toBeLessThan(FEW_MESSAGES);
  });
}, 60_000);
