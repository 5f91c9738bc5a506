import type { Child, Children } from "../../support/children.ts";
import { within } from "../../support/wait.ts";
import type { Shape, Tally } from "./messages.ts";
import { type Command, type Library, type SocketKind, Station, type StationEvent } from "./station.ts";

const PATIENCE = 20_000;

type Run = (command: Command) => Promise<unknown>;

/** A socket of a peer, told what to do from here. */
export class RemoteSocket {
  readonly name: string;
  readonly #run: Run;
  /** Of all `disconnect` events so far, of this library only. */
  readonly reasons: string[] = [];
  readonly #events: string[] = [];
  #heard: () => void = () => {};

  constructor(name: string, run: Run) {
    this.name = name;
    this.#run = run;
  }

  /** @returns the endpoint really bound. */
  async bind(address: string): Promise<string> {
    return (await this.#run({ do: "bind", socket: this.name, address })) as string;
  }
  async connect(address: string): Promise<void> {
    await this.#run({ do: "connect", socket: this.name, address });
  }
  async unbind(address: string): Promise<void> {
    await this.#run({ do: "unbind", socket: this.name, address });
  }
  async disconnect(address: string): Promise<void> {
    await this.#run({ do: "disconnect", socket: this.name, address });
  }
  async subscribe(...topics: string[]): Promise<void> {
    await this.#run({ do: "subscribe", socket: this.name, topics });
  }
  async unsubscribe(...topics: string[]): Promise<void> {
    await this.#run({ do: "unsubscribe", socket: this.name, topics });
  }
  /** Sends messages number `from`, `from + 1`...; resolves when the socket has taken the last one. */
  async send(from: number, shapes: readonly Shape[]): Promise<void> {
    await this.#run({ do: "send", socket: this.name, from, shapes });
  }
  async sendText(...messages: string[][]): Promise<void> {
    await this.#run({ do: "sendText", socket: this.name, messages });
  }
  /** The next `count` messages, each as `digest` of messages.ts describes it. */
  async receive(count: number): Promise<string[]> {
    return (await this.#run({ do: "receive", socket: this.name, count, as: "digest" })) as string[];
  }
  /** The next `count` messages, the parts of each joined by `|`. */
  async receiveText(count: number): Promise<string[]> {
    return (await this.#run({ do: "receive", socket: this.name, count, as: "text" })) as string[];
  }
  /** Sends numbered messages until `stop`, every `pace` ms or in bursts. pyzmq_peer.py does not know this. */
  async flood(epoch: string, pace?: number): Promise<void> {
    await this.#run({ do: "flood", socket: this.name, epoch, ...(pace === undefined ? {} : { pace }) });
  }
  /** Sends a probe every 5 ms, until `stop`. */
  async probe(topic: string): Promise<void> {
    await this.#run({ do: "probe", socket: this.name, topic });
  }
  async stop(): Promise<number> {
    return (await this.#run({ do: "stop", socket: this.name })) as number;
  }
  /** Resolves when a probe has come since the last call. */
  async probed(): Promise<void> {
    await this.#run({ do: "probed", socket: this.name });
  }
  async pause(): Promise<void> {
    await this.#run({ do: "pause", socket: this.name });
  }
  async resume(): Promise<void> {
    await this.#run({ do: "resume", socket: this.name });
  }
  /** What came of the floods received so far. pyzmq_peer.py does not know this. */
  async tally(): Promise<Tally> {
    return (await this.#run({ do: "tally", socket: this.name })) as Tally;
  }
  async close(): Promise<void> {
    await this.#run({ do: "close", socket: this.name });
  }

  /** Waits for an event of this name that no earlier call was given; others before it are skipped. */
  async event(name: string, milliseconds: number = PATIENCE): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      this.#heard = () => {
        const at = this.#events.indexOf(name);
        if (at < 0) return;
        this.#events.splice(0, at + 1);
        this.#heard = () => {};
        resolve();
      };
      this.#heard();
    });
    await within(milliseconds, `the ${name} event of ${this.name}`, seen);
  }

  /** Events that came and were not waited for. */
  get unheard(): readonly string[] {
    return this.#events;
  }

  hear({ event, reason }: StationEvent): void {
    this.#events.push(event);
    if (reason !== undefined) this.reasons.push(reason);
    this.#heard();
  }
}

/** A peer: some implementation of ZeroMQ, in this process or another, that opens sockets on demand. */
export class Peer {
  readonly name: string;
  readonly #run: Run;
  readonly #sockets = new Map<string, RemoteSocket>();
  #count = 0;

  constructor(name: string, run: Run) {
    this.name = name;
    this.#run = run;
  }

  /** Options are named as in zeromq.js. Linger is 0 unless given: no test waits for messages that nobody fetches. */
  async open(kind: SocketKind, options: Record<string, unknown> = {}): Promise<RemoteSocket> {
    this.#count += 1;
    const socket = new RemoteSocket(`${this.name} ${kind} ${this.#count}`, this.#run);
    this.#sockets.set(socket.name, socket);
    await this.#run({ do: "open", socket: socket.name, kind, options: { linger: 0, ...options } });
    return socket;
  }

  hear(event: StationEvent): void {
    this.#sockets.get(event.socket)?.hear(event);
  }
}

/** Sockets of the given library in this very process. */
export function localPeer(name: string, library: Library): Peer & { closeAll(): Promise<void> } {
  const station = new Station(library, (event) => peer.hear(event));
  const peer = new Peer(name, (command) =>
    within(PATIENCE, `${name}: ${brief(command)}`, station.run(command)),
  );
  return Object.assign(peer, { closeAll: () => station.closeAll() });
}

/** A peer in a process of its own. */
export class ProcessPeer extends Peer {
  readonly child: Child;

  private constructor(name: string, child: Child, run: Run) {
    super(name, run);
    this.child = child;
  }

  static async start(name: string, child: Child): Promise<ProcessPeer> {
    await child.line(/"ready"/);
    const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
    let last = 0;
    const run: Run = (command) => {
      const id = ++last;
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
      child.write(JSON.stringify({ id, ...command }));
      return within(PATIENCE, `${name}: ${brief(command)}`, answer);
    };
    const peer = new ProcessPeer(name, child, run);
    child.onLine((line) => {
      const said = JSON.parse(line) as { id?: number; result?: unknown; error?: string } & StationEvent;
      if (said.id === undefined) return peer.hear(said);
      const asked = waiting.get(said.id);
      waiting.delete(said.id);
      if (said.error === undefined) asked?.resolve(said.result);
      else asked?.reject(new Error(`${name}: ${said.error}`));
    });
    void child.exited.then((exit) => {
      for (const { reject } of waiting.values()) {
        reject(new Error(`${name} ended ${JSON.stringify(exit)}: ${child.stderr}`));
      }
    });
    return peer;
  }
}

const here = (file: string): URL => new URL(file, import.meta.url);

/** libzmq through npm's zeromq. */
export const startZeromq = (children: Children): Promise<ProcessPeer> =>
  ProcessPeer.start("zeromq", children.node(here("./zeromq-peer.ts")));

/** libzmq through Debian's python3-zmq. */
export const startPyzmq = (children: Children, python: string): Promise<ProcessPeer> =>
  ProcessPeer.start("pyzmq", children.start(python, [here("./pyzmq_peer.py").pathname]));

/** This library in another process. */
export const startZmtp = (children: Children): Promise<ProcessPeer> =>
  ProcessPeer.start("zmtp", children.node(here("./zmtp-peer.ts")));

function brief(command: Command): string {
  return JSON.stringify(command).slice(0, 120);
}
