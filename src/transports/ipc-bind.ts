import { linkSync, lstatSync, renameSync, type Stats, statSync, unlinkSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { basename, dirname, resolve } from "node:path";
import { ZmqError } from "../errors.ts";
import { connect } from "./connect.ts";
import { assertPathFits, MAX_PATH } from "./endpoint.ts";
import { closeServer, listen } from "./listen.ts";
import { NetStream } from "./net-stream.ts";
import type { Listener, Stream } from "./transport.ts";

/** How often a bind starts over because others create and remove the same path meanwhile. */
const ATTEMPTS = 10;

/**
 * Binds a Unix socket so that a path is never there without someone who answers, and nobody's live socket or file is
 * lost, as it is with libzmq, which removes whatever it finds (EP-6):
 *
 * - It listens on a temporary name beside the path, and then gives the socket its real name by link(2), which unlike
 *   rename(2) does not replace: of several processes that bind one path at the same time exactly one succeeds.
 * - What is there already is replaced only when it is a socket that refuses connections; it is renamed out of the way
 *   and put back if it turns out to be another one. Else EADDRINUSE.
 * - `close` removes the path only while it still leads to this socket.
 *
 * Where the file system has no hard links, the socket gets its name by rename(2), and the last of several processes
 * that bind at the same instant has it.
 * @throws {ZmqError} EADDRINUSE, ENAMETOOLONG; the system's ENOENT, EACCES...
 */
export async function bindPath(
  path: string,
  address: string,
  backlog: number,
  onStream: (stream: Stream) => void,
  onError: (error: Error) => void,
): Promise<Listener> {
  assertPathFits(path, address);
  // The working folder may change later on.
  const place = resolve(path);
  const onSocket = (socket: Socket): void => onStream(new NetStream(socket, address));
  const { server, name } = await listenBeside(path, address, backlog, onSocket, onError);
  const ours = lstatSync(name);
  try {
    await claim(name, path, address);
  } catch (error) {
    // libuv removes the temporary name.
    await closeServer(server);
    throw error;
  }
  const close = (): Promise<void> => {
    // As long as the server listens, nothing else can have its inode number.
    if (isSame(statOf(place), ours)) removeQuietly(place);
    return closeServer(server);
  };
  return { address, close };
}

/** Listens on a free name in the same folder, which must fit into the address as well as the path does. */
async function listenBeside(
  path: string,
  address: string,
  backlog: number,
  onSocket: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<{ server: Server; name: string }> {
  const folder = path.slice(0, path.length - basename(path).length);
  const length = Math.min(12, MAX_PATH - Buffer.byteLength(folder));
  for (let attempt = 1; ; attempt++) {
    const name = folder + randomName(length);
    if (name === path) continue;
    try {
      const server = await listen({ path: name, backlog }, onSocket, onError);
      return { server, name: resolve(name) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // libuv says EACCES for a missing folder too.
      if (code !== "EADDRINUSE" && statSync(folder || ".", { throwIfNoEntry: false }) === undefined) {
        throw new ZmqError("ENOENT", `ENOENT: there is no folder ${folder}`, { address, cause: error });
      }
      if (code !== "EADDRINUSE" || attempt >= ATTEMPTS) throw error;
    }
  }
}

/** Gives the socket its name, or throws EADDRINUSE. */
async function claim(name: string, path: string, address: string): Promise<void> {
  const place = resolve(path);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    if (moveIfFree(name, place)) return;
    const found = statOf(place);
    if (found === null) continue;
    if (!found.isSocket() || (await isAnswered(path))) break;
    if (!removeStale(place, found)) break;
  }
  throw new ZmqError("EADDRINUSE", undefined, { address });
}

function moveIfFree(name: string, place: string): boolean {
  try {
    linkSync(name, place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    if (statOf(place) !== null) return false;
    renameSync(name, place);
    return true;
  }
  unlinkSync(name);
  return true;
}

/** Whether anyone may be listening: all but a plain refusal counts as yes. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    connect({ path }, 1000, (error, socket) => {
      socket?.destroy();
      const code = (error as NodeJS.ErrnoException | null)?.code;
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT");
    });
  });
}

/** Removes the socket that was found, and no other. False if another had taken its place, which then stays. */
function removeStale(place: string, found: Stats): boolean {
  if (!isSame(statOf(place), found)) return statOf(place) === null;
  const aside = resolve(dirname(place), randomName(12));
  try {
    renameSync(place, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
  const removed = isSame(statOf(aside), found);
  if (!removed) moveIfFree(aside, place);
  removeQuietly(aside);
  return removed;
}

function statOf(place: string): Stats | null {
  return lstatSync(place, { throwIfNoEntry: false }) ?? null;
}

function isSame(a: Stats | null, b: Stats): boolean {
  return a !== null && a.dev === b.dev && a.ino === b.ino;
}

function removeQuietly(place: string): void {
  try {
    unlinkSync(place);
  } catch {
    // Gone already.
  }
}

function randomName(length: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  let name = "";
  // The global object, for `node:crypto` takes milliseconds to load.
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) name += letters[byte % letters.length];
  return name;
}
