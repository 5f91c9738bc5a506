import type { RemoteSocket } from "./peers/peer.ts";

/** Binds the first socket and connects the second. @returns the endpoint. */
export async function join(
  [binds, connects]: [RemoteSocket, RemoteSocket],
  address = "tcp://127.0.0.1:*",
): Promise<string> {
  const bound = await binds.bind(address);
  await connects.connect(bound);
  return bound;
}

/** Returns when a subscription of the receiver that matches this topic is in force at the sender. */
export async function sync(sender: RemoteSocket, receiver: RemoteSocket, topic = ""): Promise<void> {
  await sender.probe(topic);
  await receiver.probed();
  await sender.stop();
}
