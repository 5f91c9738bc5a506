import { bytesOf, integerOf, keyOf } from "../bytes.ts";
import {
  type Command,
  CommandError,
  container,
  NOT_AN_INTEGER,
  SYNTAX_ERROR,
  wrongArity,
} from "../command.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";

/** What a connection is and who is at its other end. */
export const CONNECTION: readonly Command[] = [
  { name: "ping", arity: -1, flags: ["fast"], whileSubscribed: true, run: ping },
  { name: "echo", arity: 2, flags: ["fast"], run: ({ reply }, [, text]) => reply.bulk(text as Uint8Array) },
  { name: "hello", arity: -1, flags: ["no_auth", "fast"], run: hello },
  { name: "auth", arity: -2, flags: ["no_auth", "fast"], run: auth },
  { name: "select", arity: 2, flags: ["fast"], run: select },
  { name: "quit", arity: -1, flags: ["no_auth", "fast"], whileSubscribed: true, run: quit },
  { name: "reset", arity: 1, flags: ["no_auth", "fast"], whileSubscribed: true, run: reset },
  container("client", [
    { name: "client|id", arity: 2, flags: [], run: ({ reply, id }) => reply.integer(id) },
    { name: "client|getname", arity: 2, flags: [], run: getName },
    { name: "client|setname", arity: 3, flags: [], run: (session, [, , name]) => setName(session, name) },
    { name: "client|setinfo", arity: 4, flags: [], run: ({ reply }) => reply.ok() },
    { name: "client|no-evict", arity: 3, flags: ["admin"], run: onOrOff },
    { name: "client|no-touch", arity: 3, flags: [], run: onOrOff },
  ]),
];

const EMPTY = new Uint8Array(0);

function ping({ reply, protocol, isSubscriber }: Session, args: readonly Uint8Array[]): void {
  if (args.length > 2) throw new CommandError(wrongArity("ping"));
  if (protocol === 2 && isSubscriber) {
    reply.array(2);
    reply.text("pong");
    reply.bulk(args[1] ?? EMPTY);
  } else if (args[1] === undefined) reply.simple("PONG");
  else reply.bulk(args[1]);
}

/** HELLO [protocol [AUTH user password] [SETNAME name]] */
function hello(session: Session, args: readonly Uint8Array[]): void {
  const { reply } = session;
  const protocol = args[1] === undefined ? BigInt(session.protocol) : integerOf(args[1]);
  if (protocol === null) throw new CommandError("ERR Protocol version is not an integer or out of range");
  if (protocol !== 2n && protocol !== 3n) throw new CommandError("NOPROTO unsupported protocol version");
  for (let at = 2; at < args.length; at++) {
    const option = keyOf(args[at] as Uint8Array);
    const more = args.length - 1 - at;
    if (option.toUpperCase() === "AUTH" && more >= 2) {
      authenticate(session, args[at + 1] as Uint8Array, args[at + 2] as Uint8Array);
      at += 2;
    } else if (option.toUpperCase() === "SETNAME" && more >= 1) {
      takeName(session, args[at + 1] as Uint8Array);
      at += 1;
    } else throw new CommandError(`ERR Syntax error in HELLO option '${option}'`);
  }
  if (!session.authenticated) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> " +
        "option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  reply.protocol = protocol === 3n ? 3 : 2;
  introduce(session);
}

function introduce({ reply, id, core }: Session): void {
  reply.map(7);
  reply.text("server");
  reply.text("redis");
  reply.text("version");
  reply.text(VERSION);
  reply.text("proto");
  reply.integer(reply.protocol);
  reply.text("id");
  reply.integer(id);
  reply.text("mode");
  reply.text(core.options.cluster ? "cluster" : "standalone");
  reply.text("role");
  reply.text("master");
  reply.text("modules");
  reply.array(0);
}

const DEFAULT_USER = "default";

/** AUTH [user] password */
function auth(session: Session, [, first, second, ...more]: readonly Uint8Array[]): void {
  const { reply } = session;
  if (more.length > 0) throw new CommandError(SYNTAX_ERROR);
  if (second === undefined && session.core.options.password === null) {
    throw new CommandError(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  }
  const user = second === undefined ? bytesOf(DEFAULT_USER) : (first as Uint8Array);
  authenticate(session, user, second ?? (first as Uint8Array));
  reply.ok();
}

/** @throws {CommandError} when they are wrong; a client that was let in before stays so. */
function authenticate(session: Session, user: Uint8Array, password: Uint8Array): void {
  const { environment, options } = session.core;
  const isRight =
    options.password === null || keyOf(environment.encodeText(options.password)) === keyOf(password);
  if (!isRight || keyOf(user) !== DEFAULT_USER) {
    throw new CommandError("WRONGPASS invalid username-password pair or user is disabled.");
  }
  session.authenticated = true;
}

function select(session: Session, [, number]: readonly Uint8Array[]): void {
  const { reply, core } = session;
  const database = integerOf(number as Uint8Array);
  if (database === null) throw new CommandError(NOT_AN_INTEGER);
  if (database !== BigInt.asIntN(32, database)) {
    throw new CommandError("ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  if (core.options.cluster && database !== 0n)
    throw new CommandError("ERR SELECT is not allowed in cluster mode");
  if (database < 0n || database >= BigInt(core.store.databases.length)) {
    throw new CommandError("ERR DB index is out of range");
  }
  session.database = Number(database);
  reply.ok();
}

function quit(session: Session): void {
  session.reply.ok();
  session.finish();
}

/** As if it had connected just now. */
function reset(session: Session): void {
  session.unsubscribeAll();
  session.name = "";
  session.database = 0;
  session.authenticated = session.core.options.password === null;
  session.reply.protocol = 2;
  session.reply.simple("RESET");
}

function getName({ reply, name }: Session): void {
  if (name === "") reply.null();
  else reply.text(name);
}

function setName(session: Session, name: Uint8Array | undefined): void {
  takeName(session, name as Uint8Array);
  session.reply.ok();
}

function takeName(session: Session, bytes: Uint8Array): void {
  const name = keyOf(bytes);
  if (!/^[!-~]*$/.test(name)) {
    throw new CommandError("ERR Client names cannot contain spaces, newlines or special characters.");
  }
  session.name = name;
}

/** Nothing is ever evicted here, nor does anyone ask when a key was used last. */
function onOrOff({ reply }: Session, [, , how]: readonly Uint8Array[]): void {
  if (/^(on|off)$/i.test(keyOf(how as Uint8Array))) reply.ok();
  else throw new CommandError(SYNTAX_ERROR);
}
