import { ABORTED, type Actor, type Call, type QueueOptions, type Scene } from "./actor.ts";
import { type Entry, Ledger } from "./ledger.ts";
import type { Link } from "./link.ts";
import { PullActor, type Receiver, SubActor, SubscribingActor } from "./receiver.ts";
import { PubActor, type PublishingActor, PushActor, type Sender, type Sending } from "./sender.ts";
import type { Site } from "./site.ts";
import type { Kind, Side, Start, Step } from "./steps.ts";
import { XSubActor } from "./x-receiver.ts";
import { XPubActor } from "./x-sender.ts";

const ADDRESSES = 3;
/** The longest that a lost connection, a handshake that fails and a linger take; then whatever can be regained has been. */
const RECOVERY = 62_000;

/**
 * One or two senders, one to three receivers, three addresses for each of both sides, and everything that can happen to them. What each
 * socket must, may and must not do follows from its calls and from the bytes that it heard; the actors judge at once, the
 * model at the end, when the faults have been taken away and everything that is wanted must come true.
 */
export class Model implements Scene {
  readonly site: Site;
  readonly ledger: Ledger = new Ledger();
  readonly calls: Call[] = [];
  readonly #start: Start;
  readonly #kind: Kind;
  readonly #senders: Sender[] = [];
  readonly #receivers: Receiver[] = [];
  /** All that ever were. */
  readonly #actors: Actor[] = [];
  readonly #faults: string[] = [];
  #made = 0;

  constructor(kind: Kind, start: Start, site: Site) {
    this.site = site;
    this.#start = start;
    this.#kind = kind;
    for (let i = 0; i < start.senders; i += 1) this.#senders.push(this.#makeSender(i));
    for (let i = 0; i < start.receivers; i += 1) this.#receivers.push(this.#makeReceiver(i));
  }

  fault(text: string): void {
    this.#faults.push(text);
  }

  async run(steps: readonly Step[]): Promise<void> {
    if (this.#start.bound !== "nobody") await this.#wire(this.#start.bound);
    for (const step of steps) {
      await this.#do(step);
      this.#assertNoFault();
    }
    await this.#recover();
    this.#assertNoFault();
    await this.#end();
    this.#assertNoFault();
  }

  /** How often what matters has happened: a model that never comes there proves nothing. */
  get reached(): Record<"received" | "refused" | "dropped" | "lost", number> {
    const { entries } = this.ledger;
    return {
      received: entries.reduce((sum, { received }) => sum + received, 0),
      refused: entries.filter(({ state }) => state === "refused").length,
      dropped: this.#actors.reduce((sum, { socket }) => sum + socket.stats().dropped, 0),
      lost: this.#actors.reduce((sum, { lost }) => sum + lost, 0),
    };
  }

  /** @param n its place: the last one of each side is a PUB, or a SUB, where they are mixed. */
  #makeSender(n: number): Sender {
    const name = `sender ${++this.#made}`;
    const actor = this.#newSender(name, this.#start.isMixed && n === this.#start.senders - 1);
    this.#actors.push(actor);
    return actor;
  }

  #newSender(name: string, isPlain: boolean): Sender {
    const { overflow, verbosity, hasWelcome, noDrop, invertMatching } = this.#start;
    const options = {
      ...pick(this.#start, "sendHighWaterMark", "sendTimeout", "heartbeatInterval"),
      ...this.#queues("sender"),
    };
    if (this.#kind === "push-pull") return new PushActor(this, name, options);
    if (this.#kind === "pub-sub")
      return new PubActor(this, name, options, { overflow, noDrop: false, invertMatching: false });
    const publishing = { overflow, noDrop, invertMatching };
    if (isPlain) return new PubActor(this, name, options, publishing);
    return new XPubActor(this, name, options, publishing, verbosity, hasWelcome);
  }

  #makeReceiver(n: number): Receiver {
    const name = `receiver ${++this.#made}`;
    const actor = this.#newReceiver(name, this.#start.isMixed && n === this.#start.receivers - 1);
    this.#actors.push(actor);
    return actor;
  }

  #newReceiver(name: string, isPlain: boolean): Receiver {
    const { invertMatching, sendHighWaterMark, verboseUnsubscribe } = this.#start;
    const options = {
      ...pick(this.#start, "receiveHighWaterMark", "receiveTimeout", "heartbeatInterval"),
      ...this.#queues("receiver"),
    };
    if (this.#kind === "push-pull") return new PullActor(this, name, options);
    if (this.#kind === "pub-sub") return new SubActor(this, name, options, false);
    if (isPlain) return new SubActor(this, name, options, invertMatching);
    return new XSubActor(this, name, options, sendHighWaterMark, verboseUnsubscribe);
  }

  /** What an XPUB and an XSUB do not have, or not drawn. */
  #queues(side: Side): QueueOptions {
    if (this.#kind === "xpub-xsub") return {};
    const { conflating, immediate } = this.#start;
    return { conflate: conflating === side || conflating === "both", immediate };
  }

  /** Those that receive: XPUBs do too. */
  #readers(): (Receiver | XPubActor)[] {
    return [...this.#receivers, ...this.#senders.filter((sender) => sender instanceof XPubActor)];
  }

  async #wire(bound: Side): Promise<void> {
    const [servers, clients]: Actor[][] =
      bound === "receiver" ? [this.#receivers, this.#senders] : [this.#senders, this.#receivers];
    for (const [i, server] of (servers as Actor[]).entries()) {
      const address = this.site.address(bound === "receiver" ? "in" : "out", i);
      server.bind(address);
      for (const client of clients as Actor[]) client.connect(address);
    }
    for (const [i, receiver] of this.#receivers.entries())
      if (receiver instanceof SubscribingActor) receiver.subscribe(["a", "ab", ""][i] as string);
    await this.site.settle();
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case "connect":
      case "disconnect":
      case "bind":
      case "unbind": {
        const actor = this.#actor(step.side, step.actor);
        const end = (step.side === "sender") === (step.do === "bind" || step.do === "unbind") ? "out" : "in";
        const address = this.site.address(end, step.address % ADDRESSES);
        if (step.do === "connect") actor.connect(address);
        else if (step.do === "disconnect") actor.disconnect(address, step.linger);
        else if (step.do === "bind") actor.bind(address);
        else actor.unbind(address, step.linger);
        break;
      }
      case "restart":
        this.#restart(step.side, step.actor, step.linger);
        break;
      case "subscribe":
      case "unsubscribe":
        (this.#actor("receiver", step.actor) as SubscribingActor)[step.do](step.topic);
        break;
      case "confirmed":
        (this.#actor("receiver", step.actor) as SubscribingActor).confirm();
        break;
      case "subscribed":
        (this.#actor("sender", step.actor) as PublishingActor).awaitSubscribed(step.topic, step.count);
        break;
      case "send":
        this.#send(step.actor, step.count, step.sending);
        break;
      case "receive": {
        const receiver = this.#actor(step.side ?? "receiver", step.actor);
        if (!("reading" in receiver)) break;
        const { reading } = receiver as Receiver | XPubActor;
        if (step.how === "batch") reading.receiveBatch(step.count);
        else reading.receive(step.how, step.count);
        break;
      }
      case "tell": {
        const receiver = this.#actor("receiver", step.actor);
        if (receiver instanceof XSubActor) receiver.tell(step.subscribe, step.topic);
        break;
      }
      case "upstream": {
        const receiver = this.#actor("receiver", step.actor);
        if (receiver instanceof XSubActor) receiver.sendUpstream(step.count, step.topic);
        break;
      }
      case "abort": {
        const calls = this.calls.filter((call) => call.state === "pending" && call.controller !== null);
        if (calls.length > 0) calls[step.call % calls.length]?.controller?.abort(ABORTED);
        break;
      }
      case "kill":
        this.#link(step.link)?.breakAfter(step.after);
        break;
      case "stall":
        this.#link(step.link)?.stall();
        break;
      case "unstall":
        this.#link(step.link)?.unstall();
        break;
      case "freeze": {
        // Half open: neither end hears anything.
        const link = this.#link(step.link);
        if (link === undefined) break;
        link.stall();
        this.otherEnd(link)?.stall();
        break;
      }
      case "blackHole":
        this.site.blackHole(
          this.site.address(step.side === "receiver" ? "in" : "out", step.address),
          step.on,
        );
        break;
      case "highWaterMark": {
        const { socket } = this.#actor(step.side, step.actor);
        if ("sendHighWaterMark" in socket) socket.sendHighWaterMark = step.messages;
        else socket.receiveHighWaterMark = step.messages;
        break;
      }
      case "turns":
        await this.site.turns(step.count);
        break;
      case "settle":
        await this.site.settle();
        this.#checkSettled();
        break;
      case "pass":
        await this.site.pass(step.ms);
        this.#checkSettled();
    }
  }

  #send(n: number, count: number, sending: Sending): void {
    const sender = this.#actor("sender", n) as Sender;
    // In chunks of a few bytes, large messages only take time.
    const size = Math.min(sending.size, 50 * this.#start.maxChunk);
    sender.send({ ...sending, size }, count);
  }

  #actor(side: Side, n: number): Actor {
    const actors = side === "sender" ? this.#senders : this.#receivers;
    return actors[n % actors.length] as Actor;
  }

  /** One of the connections that are open, the last one first. */
  #link(n: number): Link | undefined {
    const links = this.#actors.flatMap((actor) => actor.links.filter((link) => !link.isOver));
    return links[links.length - 1 - (n % Math.max(1, links.length))];
  }

  otherEnd(link: Link): Link | undefined {
    for (const { links } of this.#actors)
      for (const one of links) if (this.site.arePeers(one.inner, link.inner)) return one;
    return undefined;
  }

  /** The socket is closed, and a new one takes its addresses. */
  #restart(side: Side, n: number, linger: number): void {
    const actors: Actor[] = side === "sender" ? this.#senders : this.#receivers;
    const old = this.#actor(side, n);
    old.close(linger);
    const place = n % actors.length;
    const actor = side === "sender" ? this.#makeSender(place) : this.#makeReceiver(place);
    actors[place] = actor;
    if (old instanceof SubscribingActor)
      for (const topic of old.topics.keys()) (actor as SubscribingActor).subscribe(topic);
    for (const address of old.binds) actor.bind(address);
    for (const [address, count] of old.dials) for (let i = 0; i < count; i += 1) actor.connect(address);
  }

  /** Nothing is left to do but to wait: counters and subscriptions are exact. */
  #checkSettled(): void {
    for (const actor of this.#actors) {
      actor.checkCounters();
      if (actor instanceof SubscribingActor && !actor.isClosed) actor.checkSubscriptions();
    }
  }

  /** The faults are taken away, the receivers receive: what is wanted must come true. */
  async #recover(): Promise<void> {
    for (let n = 0; n < ADDRESSES; n += 1)
      for (const side of ["in", "out"] as const) this.site.blackHole(this.site.address(side, n), false);
    for (const actor of this.#actors)
      for (const link of actor.links) link.breakAfter(Number.POSITIVE_INFINITY);
    for (const actor of this.#actors) for (const link of actor.links) link.unstall();
    for (const call of this.calls) call.controller?.abort(ABORTED);
    for (const reader of this.#readers()) reader.socket.receiveTimeout = 1;
    await this.#until(() => this.#missing());
    await this.#until(() => this.#undelivered());
    const probes = this.#probe();
    await this.#until(() => untaken(probes) ?? this.#undelivered() ?? this.site.atRest());
    this.#checkSettled();
  }

  /** The receivers receive until nothing is wrong any more; what still is then is a fault. */
  async #until(wrong: () => string | null): Promise<void> {
    await this.#drain();
    await this.site.recover(wrong, RECOVERY, () => this.#drain());
    const text = wrong();
    if (text !== null) this.fault(text);
  }

  /** Every endpoint that is dialled has its connections again, if somebody is bound there. */
  #missing(): string | null {
    const bound = new Set([...this.#senders, ...this.#receivers].flatMap((actor) => [...actor.binds]));
    for (const actor of [...this.#senders, ...this.#receivers]) {
      for (const [address, count] of actor.dials) {
        if (!bound.has(address)) continue;
        const links = actor.links.filter(
          (link) => link.isDialled && link.address === address && link.isReady && link.closing !== "yes",
        );
        // One that is disconnected may still be lingering at the same address.
        if (links.length === count || (links.length > count && actor.isLingering(address))) continue;
        return `${actor.name} has ${links.length} connections to ${address}, not ${count}`;
      }
    }
    return null;
  }

  /** A few messages from everybody, over what is there now. @returns those that must be taken. */
  #probe(): Entry[] {
    return this.#senders.flatMap((sender) => {
      const isReached = sender.links.some((link) => link.isReady && link.closing === "no");
      const sent = ["a", "ab", "b"].flatMap((topic) =>
        sender.send({ how: "send", topic, size: 3, more: 1 }, 1),
      );
      return isReached ? sent : [];
    });
  }

  /** Receives until nothing comes any more. */
  async #drain(): Promise<void> {
    await this.site.settle();
    for (let before = -1; before !== this.#received(); ) {
      before = this.#received();
      for (const reader of this.#readers())
        reader.reading.receive("one", Math.max(1, Math.min(reader.untold, 500)));
      await this.site.pass(2);
    }
  }

  #received(): number {
    return this.#readers().reduce((sum, reader) => sum + reader.taken, 0);
  }

  #undelivered(): string | null {
    for (const receiver of this.#receivers) {
      const [due] = receiver.due();
      if (due !== undefined) return `${receiver.name}: message ${due.id} came in and is not received`;
    }
    for (const reader of this.#readers())
      if (reader instanceof XPubActor && reader.untold > 0)
        return `${reader.name} has not told of ${reader.untold} messages`;
    for (const sender of this.#senders) {
      const stuck = sender instanceof XPubActor ? 0 : sender.stuck;
      if (stuck > 0) return `${sender.name} has ${stuck} messages queued for peers that read`;
    }
    if (this.#kind !== "push-pull") return null;
    const { conflate } = this.#queues("receiver");
    for (const { id, link, received } of this.ledger.entries) {
      if (received > 1) return `message ${id} was received ${received} times`;
      // Of those that came together a receiver that conflates keeps the last.
      if (conflate && id !== link?.lastWritten) continue;
      if (received === 0 && link !== null && !link.isOver)
        return `message ${id} was written and is not received, and its connection is open`;
    }
    return null;
  }

  /** Everything is closed: every call settles, and nothing is left. */
  async #end(): Promise<void> {
    for (const actor of this.#actors) if (!actor.isClosed) actor.close(this.#start.seed % 2 === 0 ? 0 : 100);
    const pending = (): string | null => {
      const call = this.calls.find(({ state }) => state === "pending");
      return call === undefined ? null : `${call.what} does not settle`;
    };
    const settle = (): Promise<void> => this.site.settle();
    await settle();
    await this.site.recover(pending, 700, settle);
    // Then nothing is left, and not only after some time.
    if (this.site.lateness > 0) await this.site.recover(() => this.site.left(), 700, settle);
    const text = pending() ?? this.site.left();
    if (text !== null) this.fault(text);
    for (const actor of this.#actors) {
      const { peers, queued } = actor.checkCounters();
      // What was kept for the application can be taken no more.
      if (peers.length > 0 || (queued > 0 && !("receive" in actor.socket)))
        this.fault(`${actor.name}: ${queued} queued, ${JSON.stringify(peers)} after close`);
    }
  }

  #assertNoFault(): void {
    if (this.#faults.length > 0) throw new Error(this.#faults.slice(0, 3).join("\n"));
  }
}

function untaken(entries: readonly Entry[]): string | null {
  const entry = entries.find(({ state }) => state !== "taken");
  return entry === undefined ? null : `message ${entry.id} is ${entry.state}`;
}

function pick<T, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}
