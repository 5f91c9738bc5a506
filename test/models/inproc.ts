import fc from "fast-check";
import { Pull, Push, XPublisher, XSubscriber } from "../../src/sockets/index.ts";
import { Simulation } from "../support/simulation.ts";

export type InprocKind = "push-pull" | "xpub-xsub";

/** What happens; numbers choose among what is there. */
type InprocStep =
  | { do: "connect" | "disconnect"; from: number; to: number }
  | { do: "bind" | "unbind" | "restart"; server: number }
  | { do: "send"; from: number; count: number; waits: boolean }
  | { do: "upstream" | "topic"; from: number; on: boolean }
  | { do: "receive" | "listen"; by: number; count: number }
  | { do: "turns"; count: number };

export interface InprocStart {
  senderBinds: boolean;
  /** Nothing is connected but at the beginning, and each pair once: then all that a sender sends comes in order. */
  isStable: boolean;
  sendHighWaterMark: number;
  receiveHighWaterMark: number;
}

const n = fc.nat(1);
const count = fc.integer({ min: 1, max: 8 });
export const inprocStart: fc.Arbitrary<InprocStart> = fc.record({
  senderBinds: fc.boolean(),
  isStable: fc.boolean(),
  sendHighWaterMark: fc.constantFrom(0, 1, 2, 1000),
  receiveHighWaterMark: fc.constantFrom(0, 1, 3, 1000),
});
export const inprocSteps: fc.Arbitrary<InprocStep[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constantFrom("connect", "connect", "disconnect"), from: n, to: n }),
    fc.record({ do: fc.constantFrom("bind", "bind", "unbind", "restart"), server: n }),
    fc.record({ do: fc.constant("send"), from: n, count, waits: fc.boolean() }),
    fc.record({ do: fc.constantFrom("upstream", "topic"), from: n, on: fc.boolean() }),
    fc.record({ do: fc.constantFrom("receive", "receive", "listen"), by: n, count }),
    fc.record({ do: fc.constant("turns"), count }),
  ) as fc.Arbitrary<InprocStep>,
  { minLength: 1, maxLength: 60, size: "max" },
);

type Sending = Push | XPublisher;
type Receiving = Pull | XSubscriber;

/** A message of one sender. */
interface Sent {
  readonly from: object;
  received: number;
}

/**
 * Two senders and two receivers of one process. There is no wire to read along, so what counts is what comes out: each message
 * whole and of a sender, in order on each connection, to a PULL once; and the counters of all sockets together account for every one.
 */
export class InprocModel {
  readonly sim: Simulation = new Simulation(1);
  readonly #kind: InprocKind;
  readonly #start: InprocStart;
  readonly #senders: Sending[] = [];
  readonly #receivers: Receiving[] = [];
  readonly #all: (Sending | Receiving)[] = [];
  readonly #sent: Sent[] = [];
  readonly #lastOf = new Map<string, number>();
  readonly #names = new Map<object, number>();
  #pending = 0;
  #got = 0;
  #heard = 0;
  received = 0;
  readonly #bound = new Set<object>();

  constructor(kind: InprocKind, start: InprocStart) {
    this.#kind = kind;
    this.#start = start;
    for (let i = 0; i < 2; i += 1) {
      this.#senders.push(this.#newSender());
      this.#receivers.push(this.#newReceiver());
    }
  }

  async run(steps: readonly InprocStep[]): Promise<void> {
    const [servers, clients] = this.#sides();
    for (const [i, server] of servers.entries()) {
      await this.#bind(server, i);
      for (const client of clients) client.connect(address(i));
    }
    for (const step of steps) await this.#do(step);
    await this.#drain();
    this.#account();
    for (const socket of this.#all) void socket.close();
    await this.sim.settle();
    await this.sim.advance(200);
    if (this.#pending > 0) throw new Error(`${this.#pending} calls do not settle`);
    const { left } = this.sim;
    if (Object.values(left).some((number) => number > 0)) throw new Error(`left: ${JSON.stringify(left)}`);
    const { bound, waiting } = this.sim.context.inproc.size;
    if (bound + waiting > 0) throw new Error(`${bound} names bound, ${waiting} waiting`);
  }

  async #do(step: InprocStep): Promise<void> {
    const [servers, clients] = this.#sides();
    if (this.#start.isStable && ("server" in step || "to" in step)) return;
    switch (step.do) {
      case "connect":
        clients[step.from]?.connect(address(step.to));
        break;
      case "disconnect":
        ignoring("ENOENT", () => clients[step.from]?.disconnect(address(step.to)));
        break;
      case "bind":
        await this.#bind(servers[step.server] as Sending, step.server);
        break;
      case "unbind": {
        const server = servers[step.server] as Sending;
        if (this.#bound.delete(server)) await server.unbind(address(step.server));
        break;
      }
      case "restart": {
        void servers[step.server]?.close();
        const server = this.#start.senderBinds ? this.#newSender() : this.#newReceiver();
        servers[step.server] = server;
        await this.#bind(server, step.server);
        break;
      }
      case "send":
        for (let i = 0; i < step.count; i += 1) this.#send(this.#senders[step.from] as Sending, step.waits);
        break;
      case "topic": {
        const receiver = this.#receivers[step.from];
        if (!(receiver instanceof XSubscriber)) break;
        if (step.on) receiver.subscribe("m");
        else receiver.unsubscribe("m");
        break;
      }
      case "upstream": {
        const receiver = this.#receivers[step.from];
        if (receiver instanceof XSubscriber) receiver.trySend(this.#note(receiver));
        break;
      }
      case "receive":
        for (let i = 0; i < step.count; i += 1) this.#receive(this.#receivers[step.by] as Receiving);
        break;
      case "listen": {
        const sender = this.#senders[step.by];
        if (sender instanceof XPublisher) for (let i = 0; i < step.count; i += 1) this.#receive(sender);
        break;
      }
      case "turns":
        await this.sim.turns(step.count);
    }
  }

  #sides(): [(Sending | Receiving)[], (Sending | Receiving)[]] {
    return this.#start.senderBinds ? [this.#senders, this.#receivers] : [this.#receivers, this.#senders];
  }

  #newSender(): Sending {
    const { sendHighWaterMark } = this.#start;
    const { context } = this.sim;
    const sender: Sending =
      this.#kind === "push-pull"
        ? new Push({ sendHighWaterMark, sendTimeout: 5, linger: 100 }, context)
        : new XPublisher({ sendHighWaterMark, receiveTimeout: 5, verbosity: "allSubsUnsubs" }, context);
    return this.#add(sender);
  }

  #newReceiver(): Receiving {
    const options = { receiveHighWaterMark: this.#start.receiveHighWaterMark, receiveTimeout: 5 };
    const { context } = this.sim;
    if (this.#kind === "push-pull") return this.#add(new Pull(options, context));
    const receiver = new XSubscriber(options, context);
    receiver.subscribe("m");
    return this.#add(receiver);
  }

  #add<S extends Sending | Receiving>(socket: S): S {
    this.#all.push(socket);
    this.#names.set(socket, this.#all.length);
    return socket;
  }

  async #bind(server: Sending | Receiving, at: number): Promise<void> {
    try {
      await server.bind(address(at));
      this.#bound.add(server);
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
    }
  }

  #note(from: object): string[] {
    this.#sent.push({ from, received: 0 });
    const number = this.#sent.length - 1;
    return [`m${number}`, `body of ${number}`];
  }

  #send(sender: Sending, waits: boolean): void {
    const parts = this.#note(sender);
    if (!waits) sender.trySend(parts);
    else this.#track(sender.send(parts), () => {});
  }

  #receive(socket: Receiving | XPublisher): void {
    this.#track(socket.receive(), (parts) => this.#took(socket, parts.map(String)));
  }

  #track<T>(promise: Promise<T>, done: (value: T) => void): void {
    this.#pending += 1;
    promise.then(done).then(
      () => {
        this.#pending -= 1;
      },
      (error) => {
        this.#pending -= 1;
        if ((error as { code?: string }).code !== "EAGAIN") throw error;
      },
    );
  }

  #took(by: object, parts: string[]): void {
    if (by instanceof XPublisher) this.#heard += 1;
    else this.#got += 1;
    const [first] = parts as [string];
    if (by instanceof XPublisher && (first === "\x01m" || first === "\x00m")) return;
    const number = Number(first.slice(1));
    const sent = this.#sent[number];
    if (sent === undefined || parts[1] !== `body of ${number}` || parts.length !== 2)
      throw new Error(`a message that nobody sent: ${JSON.stringify(parts)}`);
    sent.received += 1;
    this.received += 1;
    if (this.#kind === "push-pull" && sent.received > 1) throw new Error(`message ${number} came twice`);
    this.#inOrder(by, sent, number);
  }

  #inOrder(by: object, { from }: Sent, number: number): void {
    const key = `${this.#names.get(from)} to ${this.#names.get(by)}`;
    const last = this.#lastOf.get(key) ?? -1;
    if (number < last && this.#start.isStable) throw new Error(`message ${number} came behind ${last}`);
    this.#lastOf.set(key, number);
  }

  async #drain(): Promise<void> {
    for (let before = -1; before !== this.#got + this.#heard; ) {
      before = this.#got + this.#heard;
      for (let i = 0; i < 50; i += 1) {
        for (const receiver of this.#receivers) this.#receive(receiver);
        for (const sender of this.#senders) if (sender instanceof XPublisher) this.#receive(sender);
      }
      await this.sim.settle();
      await this.sim.advance(10);
    }
  }

  /** Nothing is under way: what one side has sent is what the other side has received, and the rest waits for somebody. */
  #account(): void {
    const sum = (sockets: readonly (Sending | Receiving)[], name: "sent" | "received" | "queued"): number =>
      sockets.reduce((total, socket) => total + socket.stats()[name], 0);
    const senders = this.#all.filter((socket) => socket instanceof Push || socket instanceof XPublisher);
    const receivers = this.#all.filter((socket) => socket instanceof Pull || socket instanceof XSubscriber);
    if (sum(senders, "sent") !== sum(receivers, "received"))
      throw new Error(`${sum(senders, "sent")} were sent, ${sum(receivers, "received")} received`);
    const kept = sum(
      receivers.filter(({ closed }) => closed),
      "queued",
    );
    if (sum(receivers, "received") !== this.#got + kept)
      throw new Error(`${sum(receivers, "received")} came in, ${this.#got} were received, ${kept} are kept`);
  }
}

function address(n: number): string {
  return `inproc://name${n}`;
}

function ignoring(code: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as { code?: string }).code !== code) throw error;
  }
}
