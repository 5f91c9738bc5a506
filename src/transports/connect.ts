import type { Socket, SocketConnectOpts } from "node:net";
import { ZmqError } from "../errors.ts";
import { createSocket } from "./net-stream.ts";
import type { Dial } from "./transport.ts";

/**
 * One attempt at one place. `done` is called once, never before `connect` has returned; the socket then has no
 * listener of ours any more but the one that keeps a late error from being nobody's.
 *
 * While the system is still connecting, or resolving a name, libuv keeps the process alive in spite of `unref`: until
 * `timeout`, if there is one.
 * @param timeout ms; 0: when the system gives up.
 * @param socket not connected yet.
 */
export function connect(
  target: SocketConnectOpts,
  timeout: number,
  done: (error: Error | null, socket: Socket | null) => void,
  socket: Socket = createSocket(),
): Dial {
  let timer: NodeJS.Timeout | null = null;
  let settled = false;
  const settle = (): void => {
    settled = true;
    if (timer !== null) clearTimeout(timer);
    socket.off("connect", onConnect);
    socket.off("error", onError);
    socket.on("error", () => {});
  };
  const onConnect = (): void => {
    settle();
    if (!isConnectedToItself(socket)) {
      done(null, socket);
      return;
    }
    socket.destroy();
    done(new ZmqError("ECONNREFUSED", "connect ECONNREFUSED: nobody there but the dialling socket"), null);
  };
  const onError = (error: Error): void => {
    settle();
    socket.destroy();
    done(error, null);
  };
  socket.on("connect", onConnect);
  socket.on("error", onError);
  if (timeout > 0) {
    const expire = (): void =>
      onError(new ZmqError("ETIMEDOUT", `connect ETIMEDOUT: not within ${timeout} ms`));
    timer = setTimeout(expire, timeout).unref();
  }
  socket.connect(target);
  return {
    cancel() {
      if (settled) return;
      settle();
      socket.destroy();
    },
  };
}

/**
 * Dialling a local port that nobody listens on can be answered by the very socket that dials, when the system gives it
 * that port as its own (TCP simultaneous open). It would then keep the port from whoever is to listen there.
 */
function isConnectedToItself(socket: Socket): boolean {
  return (
    socket.remotePort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  );
}
