import { RedisSubscriber, RespDecoder, type SubscriberOptions } from "../../../src/redis-resp/index.ts";
import type { Environment } from "../../../src/runtime/environment.ts";
import type { Stream, StreamHandler } from "../../../src/transports/transport.ts";
import { type SimulatedStream, Simulation } from "../../support/simulation.ts";

export const ADDRESS = "tcp://127.0.0.1:6379";

/** A simulated process with a subscriber, and a server for it. */
export class RedisWorld extends Simulation {
  readonly server: FakeRedis;
  readonly redisEnvironment: Environment;

  constructor(seed = 1) {
    super(seed);
    this.redisEnvironment = { ...this.environment, transports: { tcp: this.network, ipc: this.network } };
    this.server = new FakeRedis();
    this.startServer();
  }

  subscriber(options: SubscriberOptions = {}): RedisSubscriber {
    return new RedisSubscriber(options, this.redisEnvironment);
  }

  startServer(): void {
    this.network.listeners.set(ADDRESS, (stream) => this.server.accept(stream));
  }

  /** Nobody answers at the address; connections are cut. */
  stopServer(): void {
    this.network.listeners.delete(ADDRESS);
    this.server.killAll();
  }
}

/** What a test wants the server to be like. */
export interface FakeRedisRules {
  /** Names that it refuses. */
  denied: Set<string>;
  password: string | null;
  /** A server of before RESP3. */
  knowsHello: boolean;
  /** Commands that it leaves without an answer. */
  mute: Set<string>;
}

/** Answers in the bytes that redis-server sends; only what a subscriber asks. */
export class FakeRedis {
  readonly rules: FakeRedisRules = { denied: new Set(), password: null, knowsHello: true, mute: new Set() };
  readonly connections: FakeConnection[] = [];

  accept(stream: Stream): void {
    this.connections.push(new FakeConnection(stream as SimulatedStream, this.rules));
  }

  /** The connection in use. */
  get last(): FakeConnection {
    return this.connections.at(-1) as FakeConnection;
  }

  killAll(): void {
    for (const { stream } of this.connections) stream.reset();
  }

  publish(channel: string | Buffer, payload: string): number {
    return this.connections.reduce((sum, connection) => sum + connection.publish(channel, payload), 0);
  }
}

const SUBSCRIBING = /^(p|s)?(un)?subscribe$/;

export class FakeConnection implements StreamHandler {
  readonly stream: SimulatedStream;
  /** Every command, its words joined by blanks. */
  readonly commands: string[] = [];
  /** Names by kind of subscription, in latin1. */
  readonly has: Record<string, Set<string>> = { "": new Set(), p: new Set(), s: new Set() };
  isOver = false;
  readonly #rules: FakeRedisRules;
  readonly #decoder = new RespDecoder({ view: Buffer.from });
  #protocol = 2;

  constructor(stream: SimulatedStream, rules: FakeRedisRules) {
    this.stream = stream;
    this.#rules = rules;
    stream.start(this);
  }

  onData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (let value = this.#decoder.next(); value !== undefined; value = this.#decoder.next())
      this.#carryOut((value as Buffer[]).map((word) => word.toString("latin1")));
  }

  onDrain(): void {}

  onEnd(): void {
    this.isOver = true;
    for (const names of Object.values(this.has)) names.clear();
  }

  write(text: string | Buffer): void {
    this.stream.write([typeof text === "string" ? Buffer.from(text, "latin1") : text]);
  }

  push(...items: (string | number | null)[]): void {
    const head = this.#protocol === 3 ? ">" : "*";
    const nothing = this.#protocol === 3 ? "_\r\n" : "$-1\r\n";
    const coded = items.map((item) => {
      if (item === null) return nothing;
      return typeof item === "number" ? `:${item}\r\n` : `$${item.length}\r\n${item}\r\n`;
    });
    this.write(`${head}${items.length}\r\n${coded.join("")}`);
  }

  publish(channel: string | Buffer, payload: string): number {
    const name = channel.toString("latin1");
    if (this.isOver || !this.has[""]?.has(name)) return 0;
    this.push("message", name, payload);
    return 1;
  }

  /** The server ends it by itself, as when a slot moves. */
  expel(channel: string): void {
    this.has.s?.delete(channel);
    this.push("sunsubscribe", channel, 0);
  }

  /** The names asked for by SUBSCRIBE commands, a list for each. */
  get subscribes(): string[] {
    return this.commands.filter((command) => command.startsWith("SUBSCRIBE"));
  }

  #carryOut(words: string[]): void {
    this.commands.push(words.join(" "));
    const [name = "", ...args] = words;
    if (this.#rules.mute.has(name)) return;
    const command = name.toLowerCase();
    const subscribing = SUBSCRIBING.exec(command);
    if (subscribing !== null)
      this.#subscribe(command, subscribing[1] ?? "", subscribing[2] !== undefined, args);
    else if (command === "hello") this.#hello(args);
    else if (command === "auth") this.write(args.at(-1) === this.#rules.password ? "+OK\r\n" : WRONGPASS);
    else if (command === "ping") this.#pong();
    else this.write("+OK\r\n");
  }

  #hello(args: string[]): void {
    const { knowsHello, password } = this.#rules;
    if (!knowsHello) this.write("-ERR unknown command 'HELLO', with args beginning with: '3' \r\n");
    else if (password !== null && args.at(args.indexOf("AUTH") + 2) !== password) this.write(WRONGPASS);
    else {
      this.#protocol = 3;
      this.write("%1\r\n$5\r\nproto\r\n:3\r\n");
    }
  }

  #pong(): void {
    const isSubscribed = Object.values(this.has).some((names) => names.size > 0);
    if (this.#protocol === 2 && isSubscribed) this.push("pong", "");
    else this.write("+PONG\r\n");
  }

  #subscribe(command: string, kind: string, isEnd: boolean, names: string[]): void {
    const has = this.has[kind] as Set<string>;
    if (!isEnd && names.some((name) => this.#rules.denied.has(name))) {
      this.write("-NOPERM this user has no permissions to access one of the channels used as arguments\r\n");
      return;
    }
    for (const name of names) {
      if (isEnd) has.delete(name);
      else has.add(name);
      const count = kind === "s" ? has.size : (this.has[""]?.size ?? 0) + (this.has.p?.size ?? 0);
      this.push(command, name, count);
    }
  }
}

const WRONGPASS = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
