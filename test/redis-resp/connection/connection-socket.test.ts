import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { RespConnection } from "../../../src/redis-resp/connection/connection.ts";
import { resolveSettings } from "../../../src/redis-resp/connection/options.ts";
import { encodeCommand } from "../../../src/redis-resp/index.ts";
import { nodeEnvironment } from "../../../src/runtime/node.ts";
import { tcp } from "../../../src/transports/tcp.ts";
import { atEnd, defaults } from "../../transports/helpers.ts";

it("a server that reads nothing for a while gets every byte unchanged, from memory that is used again", async () => {
  const listener = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  atEnd(() => listener.close());
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, "connection");
  const settings = resolveSettings({ pingInterval: 0, maxQueuedCommands: 1e6, maxQueuedBytes: 2 ** 30 });
  const { connection, stream } = await new Promise<{
    connection: RespConnection;
    stream: { isDrained?: boolean };
  }>((resolve, reject) => {
    tcp.dial(`tcp://127.0.0.1:${port}`, defaults, (error, dialled) => {
      if (dialled === null) return reject(error);
      const handler = { onPush() {}, onEnd() {} };
      const made = new RespConnection(dialled, nodeEnvironment(), settings, handler);
      resolve({ connection: made, stream: dialled });
    });
  });
  atEnd(() => connection.destroy());
  const [socket] = (await accepted) as [Socket];
  atEnd(() => socket.destroy());

  const expected: Uint8Array[] = [];
  const publishSome = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) {
      const command = ["PUBLISH", "c", `${expected.length} `.repeat(300)];
      expected.push(encodeCommand(command));
      connection.request(command, { resolve() {}, reject() {} });
    }
    await turn();
  };
  for (let i = 0; i < 300 && stream.isDrained; i++) await publishSome();
  expect(stream.isDrained).toBe(false);
  for (let i = 0; i < 10; i++) await publishSome();

  const wanted = Buffer.concat(expected);
  const received: Buffer[] = [];
  let size = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received.push(chunk);
    size += chunk.length;
    if (size >= wanted.length) break;
  }
  expect(Buffer.concat(received).equals(wanted)).toBe(true);
});
