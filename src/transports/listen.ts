import { createServer, type ListenOptions, type Server, type Socket } from "node:net";
import { HIGH_WATER_MARK } from "./net-stream.ts";

/**
 * A listening server that does not keep the process alive. `exclusive`, for otherwise two workers of a node:cluster
 * would share the address without a word.
 */
export function listen(
  options: ListenOptions,
  onSocket: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: false, highWaterMark: HIGH_WATER_MARK }, onSocket);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...options, exclusive: true }, () => {
      server.off("error", reject);
      // From now on only a failing accept ends here (ENOBUFS, ENOMEM): the peer tries again.
      server.on("error", onError);
      resolve(server.unref());
    });
  });
}

/** Resolves when nothing listens any more. The server's own "close" would wait for the accepted sockets to end. */
export function closeServer(server: Server): Promise<void> {
  server.close();
  return new Promise((resolve) => setImmediate(resolve));
}
