import { Server } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Pull } from "../../src/index.ts";
import { ipc } from "../../src/transports/ipc.ts";
import { tcp } from "../../src/transports/tcp.ts";
import type { TransportOptions } from "../../src/transports/transport.ts";
import { useIpcAddresses } from "../support/folder.ts";

const newIpc = useIpcAddresses();
const options: TransportOptions = {
  ipv6: false,
  backlog: 10,
  connectTimeout: 0,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
};

describe("OP-BACKLOG: how many connections the system is told to keep for a listener", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["tcp", () => "tcp://127.0.0.1:*"],
    ["ipc", newIpc],
    ["ipc with a path of its own", () => "ipc://*"],
  ])("%s: the socket's backlog, as it is at bind", async (_, newAddress) => {
    const listens = vi.spyOn(Server.prototype, "listen");
    const pull = new Pull({ backlog: 7 });
    pull.backlog = 8;
    await pull.bind(newAddress());
    expect(listens.mock.calls.map(([how]) => how)).toMatchObject([{ backlog: 8 }]);
    await pull.close();
  });
});

describe("A listener whose accept fails", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ["tcp", tcp, () => "tcp://127.0.0.1:*"],
    ["ipc", ipc, newIpc],
    ["ipc with a path of its own", ipc, () => "ipc://*"],
  ])("%s: says so with the system's code and the address, and goes on", async (_, transport, newAddress) => {
    const listens = vi.spyOn(Server.prototype, "listen");
    const address = newAddress();
    const errors: unknown[] = [];
    const listener = await transport.listen(
      address,
      options,
      () => {},
      (error) => errors.push(error),
    );
    const server = listens.mock.contexts[0] as Server;
    server.emit("error", Object.assign(new Error("accept ENOBUFS"), { code: "ENOBUFS" }));
    expect(errors).toMatchObject([{ name: "ZmqError", code: "ENOBUFS", message: "accept ENOBUFS" }]);
    expect((errors[0] as { address: string }).address).toMatch(
      address.startsWith("tcp") ? address : "ipc://",
    );
    expect(server.listening).toBe(true);
    await listener.close();
  });

  it("and that nobody wants to know of is nobody's", async () => {
    const listens = vi.spyOn(Server.prototype, "listen");
    const listener = await tcp.listen("tcp://127.0.0.1:*", options, () => {});
    (listens.mock.contexts[0] as Server).emit("error", new Error("accept"));
    await listener.close();
  });
});
