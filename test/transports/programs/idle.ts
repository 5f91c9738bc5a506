// Holds a listener and both ends of a connection over each transport, and has nothing else to do.
import { ipc } from "../../../src/transports/ipc.ts";
import { tcp } from "../../../src/transports/tcp.ts";
import type { Stream, TransportOptions } from "../../../src/transports/transport.ts";

const options: TransportOptions = {
  ipv6: false,
  backlog: 100,
  connectTimeout: 60_000,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
};
const handler = { onData() {}, onDrain() {}, onEnd() {} };
const streams: Stream[] = [];

for (const [transport, address] of [
  [tcp, "tcp://127.0.0.1:*"],
  [ipc, `ipc://${process.argv[2]}`],
] as const) {
  const keep = (stream: Stream): void => {
    stream.start(handler);
    streams.push(stream);
  };
  const listener = await transport.listen(address, options, keep);
  await new Promise<void>((resolve) => {
    transport.dial(listener.address, options, (_error, stream) => {
      if (stream !== null) keep(stream);
      resolve();
    });
  });
}
// The accepting ends come a little later.
while (streams.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
console.log(streams.length);
