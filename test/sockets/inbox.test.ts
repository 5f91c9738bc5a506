import { expect, it } from "vitest";
import { defaultOptions } from "../../src/sockets/options/options.ts";
import { Inbox } from "../../src/sockets/pipes/queues.ts";

function fill(inbox: Inbox): number {
  let count = 0;
  for (; !inbox.isEnough; count += 1) inbox.push([new Uint8Array(1)]);
  return count;
}

it("an inbox takes a thousand messages in a turn, more when a turn has passed, and a thousand again once it was empty", () => {
  const inbox = new Inbox({ ...defaultOptions(), receiveHighWaterMark: 0 }, false);
  expect(fill(inbox)).toBe(1000);
  inbox.allowMore();
  expect(fill(inbox)).toBe(1000);
  while (inbox.length > 0) inbox.shift();
  expect(fill(inbox)).toBe(1000);
});
