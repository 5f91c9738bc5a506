import { expect, it } from "vitest";
import { Children } from "./children.ts";

it("children that end by themselves, one after the other, leave no listener behind", async () => {
  const before = process.listenerCount("exit");
  const children = new Children();
  for (let n = 0; n < 3; n += 1) {
    const child = children.start(process.execPath, ["-e", ""]);
    expect(process.listenerCount("exit")).toBe(before + 1);
    await child.exited;
  }
  expect(process.listenerCount("exit")).toBe(before);
});

it("a child that was killed leaves none either", async () => {
  const before = process.listenerCount("exit");
  const children = new Children();
  const child = children.start(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await children.killAll();
  expect(child.exit).toEqual({ code: null, signal: "SIGKILL" });
  expect(process.listenerCount("exit")).toBe(before);
});
