import { describe, expect, it } from "vitest";
import { COMMON_OPTIONS } from "../../src/sockets/options/common-options.ts";
import { CONTEXT_OPTIONS, THREAD_OPTIONS } from "../../src/sockets/options/context-options.ts";
import type { OptionRule } from "../../src/sockets/options/option-rules.ts";
import { RULES } from "../../src/sockets/options/options.ts";
import { RECEIVE_OPTIONS, SEND_OPTIONS } from "../../src/sockets/options/queue-options.ts";
import { trapRejections, World } from "../support/sim-sockets.ts";

trapRejections();

const EFFECTS = { now: "at once", next: "next `bind` or `connect`", never: "never" };

/** Those on every socket come first, then those that some have. */
function socketRules(): [string, OptionRule][] {
  const order = { ...COMMON_OPTIONS, ...SEND_OPTIONS, ...RECEIVE_OPTIONS, ...RULES };
  return Object.entries(order) as [string, OptionRule][];
}

function socketsWith(name: string): string {
  const world = new World();
  const sockets = {
    PUB: world.publisher(),
    SUB: world.subscriber(),
    XPUB: world.xpublisher(),
    XSUB: world.xsubscriber(),
    PUSH: world.push(),
    PULL: world.pull(),
  };
  const having = Object.entries(sockets).filter(([, socket]) => name in socket);
  return having.length === Object.keys(sockets).length ? "all" : having.map(([type]) => type).join(", ");
}

function row(
  name: string,
  sockets: string,
  { kind, range, unit, initial, effect, libzmq }: OptionRule,
): string {
  const option = libzmq === "" ? "" : `ZMQ_${libzmq}`;
  return `| \`${name}\` | ${sockets} | ${kind} | ${range} | ${unit} | ${initial} | ${EFFECTS[effect]} | ${option} |`;
}

function page(): string {
  return `# Options

Properties of the sockets and of the context, which constructors take too. A value of the wrong kind is a \`TypeError\`, one out of range EINVAL.
Fractions are cut off. What they mean stands beside their types.

*Never*: the option is checked and kept, and nothing comes of it, for Node offers no way. Setting an option that takes effect at the next
\`bind\` or \`connect\` while there is an endpoint gives zeromq.js's warning.

## Sockets

| option | sockets | type | values | unit | default | takes effect | libzmq |
| --- | --- | --- | --- | --- | --- | --- | --- |
${socketRules()
  .map(([name, rule]) => row(name, socketsWith(name), rule))
  .join("\n")}

\`linger\` is 0 on SUB and XSUB, and on every socket of a context that is not \`blocky\`; \`ipv6\` is the context's. Only to be read: \`type\`,
\`lastEndpoint\`, \`securityMechanism\` (null), \`threadSafe\` (false), \`readable\`, \`writable\`, \`closed\`, \`context\`, \`events\`.

## Context

| option | type | values | unit | default | takes effect | libzmq |
| --- | --- | --- | --- | --- | --- | --- |
${Object.entries({ ...CONTEXT_OPTIONS, ...THREAD_OPTIONS } as Record<string, OptionRule>)
  .map(([name, rule]) =>
    row(name, "", rule).replace("|  | ", "| ").replace("next `bind` or `connect`", "new sockets"),
  )
  .join("\n")}

\`threadPriority\` and \`threadSchedulingPolicy\` can only be set. Only to be read: \`maxSocketsLimit\` (65535).
`;
}

describe("docs/options.md", () => {
  it("is what the tables say; `npx vitest run options-page -u` writes it", async () => {
    await expect(page()).toMatchFileSnapshot("../../docs/options.md");
  });

  it("every option belongs to some socket", () => {
    for (const [name] of socketRules()) expect(socketsWith(name), name).not.toBe("");
  });
});
