import { mkdtempSync, rmdirSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "./connect.ts";
import { parseIpc } from "./endpoint.ts";
import { bindPath } from "./ipc-bind.ts";
import { closeServer, listen } from "./listen.ts";
import { NetStream } from "./net-stream.ts";
import { systemError } from "./system-error.ts";
import type { Dial, Listener, Stream, Transport, TransportOptions } from "./transport.ts";

/** Unix domain sockets (EP-5). What it does about files that are already there: {@link bindPath}. */
export const ipc: Transport = {
  dialsAtOnce: true,
  check(address, purpose) {
    parseIpc(address, purpose);
  },
  dial: dialIpc,
  async listen(address, options, onStream, onError) {
    const failed = (error: Error): void => onError?.(systemError(error, address));
    try {
      return await listenIpc(address, options, onStream, failed);
    } catch (error) {
      throw systemError(error, address);
    }
  },
};

function dialIpc(
  address: string,
  options: TransportOptions,
  done: (error: Error | null, stream: Stream | null) => void,
): Dial {
  let cancelled = false;
  let attempt: Dial | null = null;
  const fail = (error: unknown): void => done(systemError(error, address), null);
  const begin = (): void => {
    const { path } = parseIpc(address, "connect");
    attempt = connect({ path }, options.connectTimeout, (error, socket) => {
      if (error !== null) fail(error);
      else done(null, new NetStream(socket as Socket, address));
    });
  };
  process.nextTick(() => {
    if (cancelled) return;
    try {
      begin();
    } catch (error) {
      fail(error);
    }
  });
  return {
    cancel() {
      cancelled = true;
      attempt?.cancel();
    },
  };
}

async function listenIpc(
  address: string,
  options: TransportOptions,
  onStream: (stream: Stream) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const { kind, path } = parseIpc(address, "bind");
  const { backlog } = options;
  if (kind === "wildcard") return listenInOwnFolder(address, backlog, onStream, onError);
  if (kind === "path") return bindPath(path, address, backlog, onStream, onError);
  const server = await listen(
    { path, backlog },
    (socket) => onStream(new NetStream(socket, address)),
    onError,
  );
  return { address, close: () => closeServer(server) };
}

/** `ipc://*`: the folder lives as long as the listener. */
async function listenInOwnFolder(
  address: string,
  backlog: number,
  onStream: (stream: Stream) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  const { TMPDIR, TEMPDIR, TMP } = process.env;
  const folder = mkdtempSync(join(TMPDIR || TEMPDIR || TMP || tmpdir(), "zmtp-"));
  const path = join(folder, "socket");
  let listener: Listener;
  try {
    listener = await bindPath(path, `ipc://${path}`, backlog, onStream, onError);
  } catch (error) {
    rmdirSync(folder);
    throw systemError(error, address);
  }
  const close = async (): Promise<void> => {
    await listener.close();
    try {
      rmdirSync(folder);
    } catch {
      // Someone has removed it already, or keeps files of his own in it.
    }
  };
  return { address: listener.address, close };
}
