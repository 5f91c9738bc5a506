import { ZmqError } from "../../../src/errors.ts";
import type { ChannelKind } from "../../../src/redis-resp/pubsub/channel.ts";
import { KINDS } from "../../../src/redis-resp/pubsub/channel.ts";
import type { Command, Subscriptions } from "../../../src/redis-resp/pubsub/subscriptions.ts";

type ServerEvent = () => void;

/** Of a shard channel. */
function slotOf(name: string): number {
  return name.charCodeAt(0) % 2;
}

/** What a server has for one connection, and what is on its way from there. It knows sets of names and nothing of records. */
export class ModelServer {
  readonly #client: Subscriptions;
  readonly has: Record<ChannelKind, Set<string>> = {
    channel: new Set(),
    pattern: new Set(),
    shard: new Set(),
  };
  /** Names it does not allow. */
  readonly denied: Set<string>;
  isConnected = false;
  /** Every command that came, for tests that look at them. */
  readonly seen: string[] = [];
  readonly #commands: Command[] = [];
  readonly #events: ServerEvent[] = [];
  now = 0;

  constructor(client: Subscriptions, denied: Set<string> = new Set()) {
    this.#client = client;
    this.denied = denied;
  }

  connect(): void {
    if (this.isConnected) return;
    this.isConnected = true;
    this.#client.connected();
  }

  disconnect(): void {
    if (!this.isConnected) return;
    this.isConnected = false;
    this.#commands.length = 0;
    this.#events.length = 0;
    for (const kind of KINDS) this.has[kind].clear();
    this.now += 1;
    this.#client.lost("reconnect", this.now);
  }

  /** The client sends what it wants to send now. */
  flush(): number {
    const commands = this.#client.next();
    for (const command of commands) {
      const names = command.subscriptions.map(({ key }) => key);
      this.seen.push(`${command.verb} ${command.kind} ${names.join(" ")}`);
      this.#commands.push(command);
    }
    return commands.length;
  }

  /** The server carries out its next command. */
  serve(): boolean {
    const command = this.#commands.shift();
    if (command === undefined) return false;
    const names = command.subscriptions.map(({ key }) => key);
    if (command.kind === "shard" && new Set(names.map(slotOf)).size > 1)
      this.#events.push(() => this.#client.answered(command, new ZmqError("CROSSSLOT", "CROSSSLOT no")));
    else if (command.verb === "unsubscribe") this.#unsubscribe(command, names);
    else if (names.some((name) => this.denied.has(name)))
      this.#events.push(() => this.#client.answered(command, new ZmqError("NOPERM", "NOPERM no channel")));
    else this.#subscribe(command, names);
    return true;
  }

  /** The server ends a subscription by itself. */
  expel(kind: ChannelKind, name: string): void {
    if (!this.has[kind].delete(name)) return;
    this.#events.push(() => this.#client.ended(kind, name, this.now));
  }

  publish(deliver: () => void): void {
    this.#events.push(deliver);
  }

  /** The next thing that is on its way comes to the client. */
  hear(): boolean {
    const event = this.#events.shift();
    event?.();
    return event !== undefined;
  }

  /** Until nothing is under way and nothing to be sent. */
  settle(look: () => void = () => {}): void {
    for (let step = 0; step < 100_000; step += 1) {
      const moved = [this.flush() > 0, this.serve(), this.hear()];
      look();
      if (!moved.includes(true)) return;
    }
    throw new Error("it does not come to an end");
  }

  #subscribe(command: Command, names: string[]): void {
    for (const name of names) {
      this.has[command.kind].add(name);
      this.#events.push(() => this.#client.confirmed(command.kind, name));
    }
    this.#events.push(() => this.#client.answered(command, null));
  }

  #unsubscribe(command: Command, names: string[]): void {
    for (const name of names) {
      this.has[command.kind].delete(name);
      this.#events.push(() => this.#client.ended(command.kind, name, this.now));
    }
    this.#events.push(() => this.#client.answered(command, null));
  }
}
