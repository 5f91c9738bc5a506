import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { RedisBroker } from "../../../src/redis-resp/index.ts";

const brokers: RedisBroker[] = [];

afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

async function listening(options: ConstructorParameters<typeof RedisBroker>[0] = {}): Promise<RedisBroker> {
  const broker = new RedisBroker(options);
  brokers.push(broker);
  await broker.listen();
  return broker;
}

describe("RedisBroker", () => {
  it("listens on loopback, answers, and frees its port", async () => {
    const broker = await listening();
    const { host, port } = broker.address;
    expect(host).toBe("127.0.0.1");
    const socket = connect(port, host);
    socket.write("PING\r\n");
    const reply = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
    expect(reply.toString()).toBe("+PONG\r\n");
    socket.destroy();
    await broker.close();
    const again = await listening({ port });
    expect(again.address.port).toBe(port);
  });
});
