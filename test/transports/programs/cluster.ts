// Two workers of a node:cluster bind one address, one after the other. Prints what each of them got.
import cluster from "node:cluster";
import { ipc } from "../../../src/transports/ipc.ts";
import { tcp } from "../../../src/transports/tcp.ts";
import type { TransportOptions } from "../../../src/transports/transport.ts";

const options: TransportOptions = {
  ipv6: false,
  backlog: 100,
  connectTimeout: 0,
  tcpKeepalive: -1,
  tcpKeepaliveIdle: -1,
};

async function bind(address: string): Promise<string> {
  const transport = address.startsWith("tcp:") ? tcp : ipc;
  try {
    return (await transport.listen(address, options, () => {})).address;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function ask(address: string): Promise<string> {
  const worker = cluster.fork({ ADDRESS: address });
  return new Promise((resolve) => worker.once("message", resolve));
}

const address = process.env.ADDRESS;
if (cluster.isWorker && address !== undefined) {
  process.send?.(await bind(address));
} else {
  const first = await ask(process.argv[2] as string);
  console.log(first);
  console.log(await ask(first));
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill();
  process.disconnect?.();
}
