import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { nodeEnvironment } from "../../src/runtime/node.ts";
import { Context, Pull, Push, Subscriber } from "../../src/sockets/index.ts";
import type { Lookup } from "../../src/transports/lookup.ts";
import { createTcp } from "../../src/transports/tcp.ts";
import { stablePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";

const hasIPv6 = Object.values(networkInterfaces()).some((infos) =>
  infos?.some(({ address }) => address === "::1"),
);
/** IPv4 loopback has a whole network of addresses on Linux only. */
const isLinux = process.platform === "linux";

/** A resolver whose answers change. */
class Names {
  readonly asked: (0 | 4)[] = [];
  /** An error code, or what the name means now. */
  answer: string | readonly string[] = "ENOTFOUND";

  readonly lookup: Lookup = (host, family, callback) => {
    this.asked.push(family);
    const { answer } = this;
    setImmediate(() => {
      if (typeof answer !== "string")
        callback(
          null,
          answer.map((address) => ({ address })),
        );
      else callback(Object.assign(new Error(`getaddrinfo ${answer} ${host}`), { code: answer }), []);
    });
  };

  context(): Context {
    const environment = nodeEnvironment();
    return new Context({
      ...environment,
      transports: { ...environment.transports, tcp: createTcp(this.lookup) },
    });
  }
}

describe("need 21, a host name is resolved anew for each attempt", () => {
  const open: (Push | Pull | Subscriber)[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((socket) => socket.close()));
  });
  const opened = <T extends Push | Pull | Subscriber>(socket: T): T => {
    open.push(socket);
    return socket;
  };

  async function pull(address: string, context: Context, ipv6 = false): Promise<Pull> {
    const socket = opened(new Pull({ linger: 0, ipv6 }, context));
    await socket.bind(address);
    return socket;
  }

  const MOVES: [string, boolean, string, string][] = [
    ["IPv4", false, "127.0.0.2", "127.0.0.3"],
    ["from IPv4 to IPv6", true, "127.0.0.2", "[::1]"],
    ["from IPv6 to IPv4", true, "[::1]", "127.0.0.3"],
  ];
  it.runIf(isLinux).each(MOVES.filter(([, ipv6]) => hasIPv6 || !ipv6))(
    "a name that fails, then means A, then B: %s",
    async (_, ipv6, first, second) => {
      const names = new Names();
      const context = names.context();
      const port = await stablePort();
      const a = await pull(`tcp://${first}:${port}`, context, ipv6);
      const b = await pull(`tcp://${second}:${port}`, context, ipv6);
      const push = opened(new Push({ linger: 0, reconnectInterval: 5, ipv6 }, context));
      const failures: (Error | undefined)[] = [];
      push.events.on("connect:retry", ({ error }) => failures.push(error));
      let peers = 0;
      push.events.on("handshake", () => {
        peers += 1;
      });

      push.connect(`tcp://moving.example:${port}`);
      await until("the name has failed twice", () => failures.length >= 2);
      expect(failures[0]).toMatchObject({ code: "ENOTFOUND" });
      names.answer = "EAI_AGAIN";
      await until(
        "it has failed otherwise",
        () => (failures.at(-1) as { code?: string }).code === "EAI_AGAIN",
      );

      names.answer = [first.replace(/[[\]]/g, "")];
      await push.send("to A");
      expect(String(await a.receive())).toBe("to A");
      expect(push.stats().peers[0]?.address).toBe(`tcp://${first}:${port}`);

      names.answer = [second.replace(/[[\]]/g, "")];
      await a.close();
      await until("the next peer is there", () => peers === 2);
      await push.send("to B");
      expect(String(await b.receive())).toBe("to B");
      expect(push.stats().peers[0]?.address).toBe(`tcp://${second}:${port}`);
      expect(new Set(names.asked)).toEqual(new Set([ipv6 ? 0 : 4]));
    },
  );

  it.runIf(isLinux)("of several addresses one that refuses does not hide one that answers", async () => {
    const names = new Names();
    const context = names.context();
    const port = await stablePort();
    const b = await pull(`tcp://127.0.0.3:${port}`, context);
    names.answer = ["127.0.0.2", "127.0.0.3"];
    const push = opened(new Push({ linger: 0, reconnectInterval: 5 }, context));
    push.connect(`tcp://moving.example:${port}`);
    await push.send("found");
    expect(String(await b.receive())).toBe("found");
    expect(names.asked).toHaveLength(1);
  });

  it("closing while the resolver has not answered: nothing comes of the answer", async () => {
    const answers: (() => void)[] = [];
    const environment = nodeEnvironment();
    const lookup: Lookup = (_host, _family, callback) => {
      answers.push(() => callback(null, [{ address: "127.0.0.1" }]));
    };
    const context = new Context({ ...environment, transports: { tcp: createTcp(lookup) } });
    const sub = new Subscriber({}, context);
    const seen: string[] = [];
    for (const name of ["connect", "connect:retry", "disconnect"] as const)
      sub.events.on(name, ({ type }) => seen.push(type));
    sub.connect(`tcp://slow.example:${await stablePort()}`);
    await until("the name was asked for", () => answers.length === 1);
    await sub.close();
    answers[0]!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual([]);
  });
});
