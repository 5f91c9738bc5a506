import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Pull } from "../../src/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Runs a program that has the sockets, and says how it ended; "alive" when it did not within `patience` ms. */
function run(program: string, patience = 10_000): Promise<{ end: number | "alive"; output: string }> {
  const source = `import { Context, context, Publisher, Pull, Push, Subscriber } from ${JSON.stringify(`${root}src/index.ts`)};
    process.on("unhandledRejection", () => process.exit(99));
    ${program}
    console.log("started");`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    cwd: root,
  });
  children.push(child);
  return new Promise((resolve) => {
    let output = "";
    child.stdout?.on("data", (chunk) => {
      if (output === "") setTimeout(() => resolve({ end: "alive", output }), patience);
      output += chunk;
    });
    child.stderr?.on("data", (chunk) => {
      output += chunk;
    });
    child.on("close", (code) => resolve({ end: code ?? -1, output }));
  });
}

/** Nobody listens there. */
const nowhere = "tcp://127.0.0.1:9";
const ends = { end: 0, output: "started\n" };
const staysAlive = { end: "alive", output: "started\n" };

describe("B-39, N-9: the process ends by itself", () => {
  it.each([
    [
      "with sockets that are bound, dial, and are connected",
      `
      const pull = new Pull(); await pull.bind("tcp://127.0.0.1:*");
      const push = new Push(); push.connect(pull.lastEndpoint); await push.send("x"); await pull.receive();
      const sub = new Subscriber({ heartbeatInterval: 100 }); sub.subscribe(""); sub.connect("${nowhere}");
      new Publisher().connect("${nowhere}");`,
    ],
    [
      "with messages queued in a socket that was not closed, when lingering is over",
      `
      const push = new Push({ linger: 50 }); push.connect("${nowhere}"); await push.send("x");`,
    ],
    [
      "with messages queued that are not to linger",
      `
      const push = new Push({ linger: 0 }); push.connect("${nowhere}"); await push.send("x");`,
    ],
    [
      "with messages queued in a context that is not blocky",
      `
      context.blocky = false;
      const push = new Push(); push.connect("${nowhere}"); await push.send("x");`,
    ],
    [
      "with more contexts than a process may have listeners",
      `
      for (let i = 0; i < 20; i += 1) {
        const push = new Push({ linger: 10, context: new Context() }); push.connect("${nowhere}"); push.send("x");
      }`,
    ],
    [
      "once a finite linger is over",
      `
      const push = new Push({ linger: 100 }); push.connect("${nowhere}"); await push.send("x"); push.close();`,
    ],
    [
      "after a close with nothing to send",
      `
      const push = new Push(); push.connect("${nowhere}"); push.close();`,
    ],
    [
      "with messages that wait for somebody to bind an inproc name, for ever",
      `
      const push = new Push(); push.connect("inproc://nobody"); await push.send("x"); push.close();
      new Pull().connect("inproc://nobody"); await new Publisher().bind("inproc://somebody");`,
    ],
    [
      "after a receive that timed out",
      `
      new Pull({ receiveTimeout: 50 }).receive().catch(() => {});`,
    ],
    [
      "with listeners for events, and after a receive of events whose socket was closed",
      `
      const pull = new Pull(); pull.events.on("bind", () => {}); await pull.bind("tcp://127.0.0.1:*");
      const other = new Pull(); other.events.receive(); other.close();`,
    ],
  ])("%s", async (_name, program) => {
    expect(await run(program)).toEqual(ends);
  });
});

describe("Messages in sockets that were never closed", () => {
  const waiting = (advice: string): RegExp =>
    new RegExp(
      `^started\n\\(node:\\d+\\) WARNING: Waiting for queued ZeroMQ messages to be delivered\\.${advice}\n$`,
    );

  it("are delivered, though the program has ended", async () => {
    const pull = new Pull();
    await pull.bind("tcp://127.0.0.1:*");
    const ran = run(`const push = new Push(); push.connect("${pull.lastEndpoint}");
      for (let i = 0; i < 1000; i += 1) push.send(String(i));`);
    for (let i = 0; i < 1000; i += 1) expect(String(await pull.receive())).toBe(String(i));
    expect(await ran).toEqual(ends);
    await pull.close();
  });

  it("hold the process for ever with a linger of -1, and it says why", async () => {
    const { end, output } = await run(
      `const push = new Push(); push.connect("${nowhere}"); await push.send("x");`,
      2000,
    );
    expect(end).toBe("alive");
    expect(output).toMatch(waiting(" Set 'context\\.blocky = false' to change this behaviour\\."));
  });

  it("the advice is left out where it was followed", async () => {
    const { end, output } = await run(
      `context.blocky = false;
      const push = new Push({ linger: 1000 }); push.connect("${nowhere}"); await push.send("x");`,
    );
    expect(end).toBe(0);
    expect(output).toMatch(waiting(""));
  });
});

describe("B-39, N-9: the process stays alive", () => {
  it.each([
    ["with a receive that waits", "new Pull().receive();"],
    ["with a loop that waits", "(async () => { for await (const _ of new Subscriber()); })();"],
    ["with a send that waits for room", `new Push().send("x");`],
    ["with a receive of events that waits", "new Pull().events.receive();"],
    ["while it waits for subscribers", `new Publisher().subscribed("x");`],
    [
      "while it lingers",
      `const push = new Push(); push.connect("${nowhere}"); push.send("x"); push.close();`,
    ],
  ])("%s", async (_name, program) => {
    expect(await run(program, 1000)).toEqual(staysAlive);
  });

  it("until a bind is done", async () => {
    const { end, output } = await run(
      `new Pull().bind("tcp://127.0.0.1:*").then(() => console.log("bound"));`,
    );
    expect({ end, output }).toEqual({ end: 0, output: "started\nbound\n" });
  });
});
