import { RedisClient } from "../../src/redis-resp/client/client.ts";
import { RespConnection } from "../../src/redis-resp/connection/connection.ts";
import {
  type ConnectionOptions,
  type RedisOptions,
  resolveSettings,
} from "../../src/redis-resp/connection/options.ts";
import type { Argument } from "../../src/redis-resp/protocol/encoder.ts";
import type { RespPush, RespValue } from "../../src/redis-resp/protocol/values.ts";
import type { Environment } from "../../src/runtime/environment.ts";
import type { StreamHandler } from "../../src/transports/transport.ts";
import { type SimulatedStream, Simulation } from "../support/simulation.ts";

/** The server's end of a connection, which says what the test tells it to. */
export class ScriptedServer implements StreamHandler {
  readonly stream: SimulatedStream;
  /** What came, as Latin-1. */
  received = "";
  isEnded = false;
  /** What it says to each command by itself; null: nothing. */
  answer: ((command: string[]) => string | null) | null = null;

  constructor(stream: SimulatedStream) {
    this.stream = stream;
    stream.start(this);
  }

  say(text: string): void {
    this.stream.write([Buffer.from(text, "latin1")]);
  }

  /** What came since the last call. */
  take(): string {
    const { received } = this;
    this.received = "";
    return received;
  }

  onData(chunk: Uint8Array): void {
    this.received += Buffer.from(chunk).toString("latin1");
    if (this.answer === null) return;
    const { commands, rest } = takeCommands(this.received);
    this.received = rest;
    for (const command of commands) {
      const reply = this.answer(command);
      if (reply !== null) this.say(reply);
    }
  }

  onDrain(): void {}

  onEnd(): void {
    this.isEnded = true;
  }
}

/** The whole commands in a text, as Latin-1. */
export function commandsIn(text: string): string[][] {
  return takeCommands(text).commands;
}

/** The same, and what is left: the beginning of another. */
export function takeCommands(text: string): { commands: string[][]; rest: string } {
  const commands: string[][] = [];
  let rest = text;
  for (let one = takeCommand(rest); one !== null; one = takeCommand(rest)) {
    commands.push(one.command);
    rest = one.rest;
  }
  return { commands, rest };
}

function takeCommand(text: string): { command: string[]; rest: string } | null {
  const header = /^\*(\d+)\r\n/.exec(text);
  if (header === null) return null;
  const command: string[] = [];
  let rest = text.slice(header[0].length);
  for (let left = Number(header[1]); left > 0; left--) {
    const [line = "", length] = /^\$(\d+)\r\n/.exec(rest) ?? [];
    const end = line.length + Number(length);
    if (line === "" || rest.length < end + 2) return null;
    command.push(rest.slice(line.length, end));
    rest = rest.slice(end + 2);
  }
  return { command, rest };
}

/** One connection of ours to a scripted server. */
export class ConnectionWorld extends Simulation {
  readonly connection: RespConnection;
  readonly server: ScriptedServer;
  readonly near: SimulatedStream;
  readonly pushes: RespPush[] = [];
  /** What has happened, in order. */
  readonly log: string[] = [];
  readonly ends: (Error & { code?: string })[] = [];
  /** Timers that were ever set. */
  timersSet = 0;

  constructor(options: ConnectionOptions = {}, seed?: number) {
    super(seed);
    const { near, far } = this.network.link();
    this.near = near;
    this.server = new ScriptedServer(far);
    const setTimer: Environment["setTimer"] = (milliseconds, callback) => {
      this.timersSet += 1;
      return this.environment.setTimer(milliseconds, callback);
    };
    const environment = { ...this.environment, setTimer };
    this.connection = new RespConnection(near, environment, resolveSettings(options), {
      onPush: (push) => {
        this.pushes.push(push);
        this.log.push(`push ${push.kind} ${push.items.map(String).join(" ")}`.trim());
      },
      onEnd: (error) => {
        this.ends.push(error);
        this.log.push(`end ${(error as { code?: string }).code}`);
      },
    });
  }

  /** Sends, and logs the reply under the first argument. */
  ask(...args: Argument[]): void {
    this.connection.request(args, this.reply(String(args[0])));
  }

  reply(name: string): { resolve(value: RespValue): void; reject(error: Error & { code?: string }): void } {
    return {
      resolve: (value) => this.log.push(`${name}: ${value}`),
      reject: ({ code }) => this.log.push(`${name}! ${code}`),
    };
  }

  fence(...args: Argument[]): void {
    this.connection.fenced(args, (error) =>
      this.log.push(`${args.join(" ")} done ${error?.message ?? "well"}`),
    );
  }

  /** What was logged since the last call. */
  logged(): string[] {
    return this.log.splice(0);
  }
}

export const HELLO_REPLY = "%1\r\n+proto\r\n:3\r\n";

/** What Redis says to what is said before the first command, and `+NAME` to all else. */
export function likeRedis([name]: string[]): string {
  if (name === "HELLO") return HELLO_REPLY;
  return name === "PING" ? "+PONG\r\n" : name === "SELECT" || name === "AUTH" ? "+OK\r\n" : `+${name}\r\n`;
}

/** Clients in a simulated network with a server for each dial to 127.0.0.1:6379. */
export class ClientWorld extends Simulation {
  readonly servers: ScriptedServer[] = [];
  readonly #environment: Environment = { ...this.environment, transports: { tcp: this.network } };

  /** Null: as `likeRedis`. Else what the server says to each command. */
  listen(answer: ScriptedServer["answer"] = likeRedis): void {
    this.network.listeners.set("tcp://127.0.0.1:6379", (stream) => {
      const server = new ScriptedServer(stream as SimulatedStream);
      server.answer = answer;
      this.servers.push(server);
    });
  }

  unlisten(): void {
    this.network.listeners.clear();
  }

  /** Of the last connection. */
  get server(): ScriptedServer {
    return this.servers.at(-1) as ScriptedServer;
  }

  get near(): SimulatedStream {
    return this.server.stream.other;
  }

  client(options: RedisOptions = {}): RedisClient {
    return new RedisClient(options, this.#environment);
  }
}
