import type { ZmqError } from "../../errors.ts";
import { type Argument, checkArguments } from "../protocol/encoder.ts";
import { ReplyError } from "../protocol/errors.ts";
import type { RespValue } from "../protocol/values.ts";
import { type RespConnection, whyUnanswered } from "./connection.ts";
import type { Credentials, Settings } from "./options.ts";

/**
 * Everything that is said before the first command: HELLO with protocol, user and name, or AUTH; SELECT; a PING, whose answer
 * says that the server is at work (not LOADING). Nothing of it waits for an answer, but a server without HELLO is asked again.
 *
 * @throws {ZmqError} what stands in the way: a {@link ReplyError} (WRONGPASS, NOAUTH, LOADING...), or the connection's end.
 */
export async function shakeHands(connection: RespConnection, settings: Settings): Promise<void> {
  const credentials = await settings.credentials();
  const isPlain = settings.protocol === 2 || !(await greet(connection, settings, credentials));
  if (isPlain) await introduce(connection, settings, credentials);
}

/** @returns false: the server knows no HELLO, or no RESP3. */
async function greet(
  connection: RespConnection,
  settings: Settings,
  credentials: Credentials | null,
): Promise<boolean> {
  const hello: Argument[] = ["HELLO", 3];
  if (credentials !== null) hello.push("AUTH", credentials.username ?? "default", credentials.password);
  if (settings.clientName !== null) hello.push("SETNAME", settings.clientName);
  const greeted = ask(connection, hello).then(() => {
    connection.protocol = 3;
  });
  const ready = enter(connection, settings);
  ready.catch(() => {});
  try {
    await greeted;
  } catch (error) {
    if (!isTooNew(error)) throw error;
    await ready.catch(() => {}); // was said too early
    return false;
  }
  await ready;
  return true;
}

/** `NOPROTO unsupported protocol version`, `ERR unknown command 'HELLO'`, or how a proxy words it. */
function isTooNew(error: unknown): boolean {
  if (!(error instanceof ReplyError)) return false;
  return error.code === "NOPROTO" || (error.code === "ERR" && /command/i.test(error.message));
}

/** The same in RESP2. */
async function introduce(
  connection: RespConnection,
  settings: Settings,
  credentials: Credentials | null,
): Promise<void> {
  const asked: Promise<unknown>[] = [];
  if (credentials !== null) {
    const { username, password } = credentials;
    asked.push(ask(connection, username === undefined ? ["AUTH", password] : ["AUTH", username, password]));
  }
  if (settings.clientName !== null) asked.push(ask(connection, ["CLIENT", "SETNAME", settings.clientName]));
  asked.push(enter(connection, settings));
  await all(asked);
}

async function enter(connection: RespConnection, { db }: Settings): Promise<void> {
  const asked: Promise<unknown>[] = [];
  if (db !== 0) asked.push(ask(connection, ["SELECT", db]));
  const pinged = ask(connection, ["PING"]).catch((error: ZmqError) => {
    // A server that cannot save refuses writes and this one;
    // who may only publish and subscribe is refused it too.
    if (error.code !== "MISCONF" && error.code !== "NOPERM") throw error;
  });
  await all([...asked, pinged]);
}

/** The first that failed says why: those behind it failed because of it. */
async function all(asked: readonly Promise<unknown>[]): Promise<void> {
  for (const { reason } of (await Promise.allSettled(asked)) as { reason?: unknown }[]) {
    if (reason !== undefined) throw reason;
  }
}

function ask(connection: RespConnection, args: readonly Argument[]): Promise<RespValue> {
  return new Promise((resolve, reject) => {
    checkArguments(args); // credentials are what a function of the user's has returned
    connection.request(args, { resolve, reject: (error) => reject(whyUnanswered(error)) });
  });
}
