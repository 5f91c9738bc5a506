import { Pull, Subscriber, type XSubscriber } from "../../src/sockets/index.ts";
import { Actor, type QueueOptions, type Scene } from "./actor.ts";
import { matches } from "./ledger.ts";
import type { Arrival, Link, LinkOwner } from "./link.ts";
import { Reading } from "./reading.ts";

export interface ReceiverOptions extends QueueOptions {
  receiveHighWaterMark: number;
  receiveTimeout: number;
  heartbeatInterval: number;
}

export const COMMON = { handshakeInterval: 300, reconnectInterval: 20 };

/** A PULL or SUB: what came in whole on a connection is received, in order, once, unless a modelled reason stands against it. */
export abstract class Receiver<
  S extends Pull | Subscriber | XSubscriber = Pull | Subscriber | XSubscriber,
> extends Actor<S> {
  /** What came in, by number: with two connections to one publisher a message comes twice. */
  readonly #arrivals = new Map<number, Arrival[]>();
  #taken = 0;
  readonly reading: Reading = new Reading(this);
  readonly #conflates: boolean;

  constructor(
    scene: Scene,
    name: string,
    { conflate = false }: QueueOptions,
    makeSocket: (owner: LinkOwner) => S,
  ) {
    super(scene, name, makeSocket);
    this.#conflates = conflate;
  }

  get side(): "receiver" {
    return "receiver";
  }

  /** How many messages the application has got. */
  get taken(): number {
    return this.#taken;
  }

  wrote(_link: Link, parts: Buffer[]): void {
    this.fault(`writes a message: ${String(parts[0])}`);
  }

  heard(link: Link, parts: Buffer[]): void {
    const entry = this.scene.ledger.find(parts);
    if (typeof entry === "string") {
      this.fault(`hears ${entry}`);
      return;
    }
    const wanted = this.wants(parts[0] as Buffer) ? "must" : "never";
    const arrival: Arrival = {
      id: entry.id,
      link,
      duty: link.closing === "no" ? wanted : "may",
      taken: false,
    };
    if (this.#conflates && arrival.duty !== "never") this.#replace(link);
    link.arrivals.push(arrival);
    const known = this.#arrivals.get(entry.id);
    if (known === undefined) this.#arrivals.set(entry.id, [arrival]);
    else known.push(arrival);
  }

  /** PS-19: a newer message takes the place of what waits, if nobody takes that before. */
  #replace(link: Link): void {
    for (const arrival of this.waiting()) {
      const { isDialled, address } = arrival.link;
      // An endpoint that is dialled has one queue for all its connections.
      const isSame = arrival.link === link || (isDialled && link.isDialled && address === link.address);
      if (isSame && arrival.duty === "must") arrival.duty = "may";
    }
  }

  /** Messages that came in whole and must still be received. */
  due(): Arrival[] {
    if (this.isClosed) return [];
    return this.links.flatMap((link) => link.arrivals.slice(link.next).filter(isDue));
  }

  get untold(): number {
    return this.due().length;
  }

  /** Every message that has come in and is not received yet. */
  protected waiting(): Arrival[] {
    return this.links.flatMap((link) => link.arrivals.slice(link.next).filter((arrival) => !arrival.taken));
  }

  override checkCounters(): ReturnType<Actor["checkCounters"]> {
    const stats = super.checkCounters();
    this.checkQueues(stats);
    return stats;
  }

  protected checkQueues(stats: ReturnType<Actor["checkCounters"]>): void {
    const { received, queued, dropped, sent } = stats;
    if (received !== this.#taken + queued + dropped)
      this.fault(`received ${received}, but ${this.#taken} taken, ${queued} wait and ${dropped} dropped`);
    if (sent > 0 || (dropped > 0 && !this.#conflates))
      this.fault(`sent or dropped: ${JSON.stringify(stats)}`);
    if (this.#conflates && stats.peers.some((peer) => peer.queued > 1))
      this.fault(`conflates, and more than one waits: ${JSON.stringify(stats)}`);
  }

  abstract wants(firstPart: Buffer): boolean;

  protected override closeLinks(linger: number, which: (link: Link) => boolean): void {
    super.closeLinks(linger, which);
    // Some of it was kept, and can still be taken; the rest the connection had not handed out yet.
    for (const arrival of this.waiting()) if (which(arrival.link)) arrival.duty = "may";
  }

  /** The application got a message. */
  took(parts: Uint8Array[]): void {
    this.#taken += 1;
    const entry = this.scene.ledger.find(parts);
    if (typeof entry === "string") {
      this.fault(`receives ${entry}`);
      return;
    }
    entry.received += 1;
    const arrivals = (this.#arrivals.get(entry.id) ?? []).filter((one) => !one.taken && one.duty !== "never");
    const inTurn = arrivals.filter((one) => isInTurn(one));
    const arrival = inTurn.find((one) => one.duty === "must") ?? inTurn[0];
    if (arrival !== undefined) {
      arrival.taken = true;
      arrival.link.next = arrival.link.arrivals.indexOf(arrival, arrival.link.next) + 1;
      this.#turn(arrival.link);
    } else if (arrivals.length > 0) this.fault(`receives message ${entry.id} before others that came first`);
    else this.fault(`receives message ${entry.id}, which it must not, or not again`);
  }

  /** PP-6: nobody who has a message waits while another one is served again and again. */
  #turn(served: Link): void {
    for (const link of this.links) {
      // The connections of one endpoint that is dialled come one after the other.
      const isSame = link.isDialled && served.isDialled && link.address === served.address;
      if (isSame || link === served || !link.arrivals.some((one, i) => i >= link.next && isDue(one)))
        link.passedOver.clear();
      else {
        const times = (link.passedOver.get(served) ?? 0) + 1;
        link.passedOver.set(served, times);
        if (times > 2)
          this.fault(`${served.remoteAddress} is served ${times} times while ${link.remoteAddress} waits`);
      }
    }
  }
}

function isDue(arrival: Arrival): boolean {
  return arrival.duty === "must" && !arrival.taken;
}

/** Nothing that must be received came before it on its connection, nor was it passed over. */
function isInTurn({ link, ...arrival }: Arrival): boolean {
  for (let i = link.next; i < link.arrivals.length; i += 1) {
    const one = link.arrivals[i] as Arrival;
    if (one.id === arrival.id) return true;
    if (isDue(one)) return false;
  }
  return false;
}

export class PullActor extends Receiver<Pull> {
  constructor(scene: Scene, name: string, options: ReceiverOptions) {
    super(scene, name, options, (owner) => new Pull({ ...COMMON, ...options }, scene.site.context(owner)));
  }

  get dialsTwice(): boolean {
    return true;
  }

  wants(): boolean {
    return true;
  }
}

/** Its topics are counted, and in force on every connection: told when one is new and when the last of it goes. */
export abstract class SubscribingActor<
  S extends Subscriber | XSubscriber = Subscriber | XSubscriber,
> extends Receiver<S> {
  readonly topics: Map<string, number> = new Map();
  #changes = 0;

  subscribe(topic: string): void {
    this.count(true, topic);
    this.socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.count(false, topic);
    this.socket.unsubscribe(topic);
  }

  /** What comes in from now on is wanted by other topics; what came before may be judged by either. */
  protected count(subscribe: boolean, topic: string): void {
    this.#changes += 1;
    const count = (this.topics.get(topic) ?? 0) + (subscribe ? 1 : -1);
    if (count > 0) this.topics.set(topic, count);
    else this.topics.delete(topic);
    for (const arrival of this.waiting()) {
      const { parts } = this.scene.ledger.entries[arrival.id] as { parts: readonly Buffer[] };
      const isWanted = this.wants(parts[0] as Buffer);
      if (arrival.duty !== (isWanted ? "must" : "never")) arrival.duty = "may";
    }
  }

  override saidSubscription(link: Link, subscribe: boolean, topic: string): void {
    if (subscribe === link.saidTopics.has(topic) && !this.maySayTwice(subscribe))
      this.fault(`says ${subscribe ? "SUBSCRIBE" : "CANCEL"} ${JSON.stringify(topic)} twice on a connection`);
    if (subscribe) link.saidTopics.add(topic);
    else link.saidTopics.delete(topic);
  }

  protected maySayTwice(_subscribe: boolean): boolean {
    return false;
  }

  /** What the publishers are told comes to the topics that are wanted. */
  protected get tellsExactly(): boolean {
    return true;
  }

  /** "Answered" says that whoever is connected has done what it was told. */
  confirm(): void {
    const asked = this.#changes;
    const links = this.links.filter((link) => link.isReady && link.closing === "no");
    this.track(
      "confirmed",
      this.socket.confirmed(),
      null,
      (how) => {
        if (how !== "answered" || asked !== this.#changes || !this.tellsExactly) return;
        for (const link of links) {
          const heard = this.scene.otherEnd(link)?.heardTopics;
          if (link.isOver || heard === undefined) continue;
          for (const topic of this.topics.keys())
            if (!heard.has(topic))
              this.fault(`confirmed, but ${link.remoteAddress} does not know "${topic}"`);
        }
      },
      (error) => {
        const { code } = error as { code?: string };
        if (code !== "EAGAIN" && code !== "ECONNRESET") this.fault(`confirmed: ${String(error)}`);
      },
    );
  }

  /** Settled: what was said on every connection comes to the topics that are wanted (PS-15). */
  checkSubscriptions(): void {
    if (!this.tellsExactly) return;
    for (const link of this.links) {
      if (!link.isReady || link.isFull || link.closing !== "no") continue;
      const said = [...link.saidTopics].sort().join();
      const wanted = [...this.topics.keys()].sort().join();
      if (said !== wanted) this.fault(`${link.remoteAddress} was told of "${said}", not of "${wanted}"`);
    }
  }
}

export class SubActor extends SubscribingActor<Subscriber> {
  readonly #isInverted: boolean;

  constructor(scene: Scene, name: string, options: ReceiverOptions, invertMatching: boolean) {
    super(
      scene,
      name,
      options,
      (owner) => new Subscriber({ ...COMMON, ...options, invertMatching }, scene.site.context(owner)),
    );
    this.#isInverted = invertMatching;
  }

  get dialsTwice(): boolean {
    return false;
  }

  /** The publisher's filter again (PS-9). */
  wants(firstPart: Buffer): boolean {
    return matches(this.topics.keys(), firstPart) !== this.#isInverted;
  }
}
