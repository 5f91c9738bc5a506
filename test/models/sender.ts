import { type PeerStats, Publisher, Push, type XPublisher } from "../../src/sockets/index.ts";
import { ABORTED, Actor, abortController, type QueueOptions, type Scene } from "./actor.ts";
import { type Entry, matches } from "./ledger.ts";
import type { Link } from "./link.ts";

export interface SenderOptions extends QueueOptions {
  sendHighWaterMark: number;
  sendTimeout: number;
  heartbeatInterval: number;
}

export interface Sending {
  how: "try" | "send" | "abortable" | "aborted";
  topic: string;
  size: number;
  more: number;
}

export const COMMON = { handshakeInterval: 300, reconnectInterval: 20 };

/** A PUSH or PUB: what it takes is sent, queued or dropped, and counted so; what it refuses is never sent. */
export abstract class Sender<
  S extends Push | Publisher | XPublisher = Push | Publisher | XPublisher,
> extends Actor<S> {
  /** The counters behind the call made last. */
  protected peers: readonly PeerStats[] = [];
  /** Sends that have not settled. */
  protected pending = 0;
  /** How many messages the counters are to add up to: a message for two peers is two. */
  protected dealtTo = 0;
  /** It cannot be known any more what the counters should be. */
  protected isVague = false;
  written = 0;
  protected readonly queues: QueueOptions;

  constructor(scene: Scene, name: string, queues: QueueOptions, makeSocket: (owner: Actor) => S) {
    super(scene, name, makeSocket as never);
    this.queues = queues;
  }

  /** So many messages one after the other, with one signal for all. */
  send(sending: Sending, count: number): Entry[] {
    const isAbortable = sending.how === "abortable" || sending.how === "aborted";
    const controller = isAbortable ? abortController(sending.how === "aborted") : null;
    const entries: Entry[] = [];
    this.peers = this.socket.stats().peers;
    for (let i = 0; i < count; i += 1) entries.push(this.#send(sending, controller));
    return entries;
  }

  #send({ how, topic, size, more }: Sending, controller: AbortController | null): Entry {
    const entry = this.scene.ledger.make(this, topic, size, more);
    // The caller's own bytes, his again when the call has returned: small parts are changed at once.
    const parts = entry.parts.map((part) => (part.length <= 1024 ? Buffer.from(part) : part));
    const before = this.peers;
    if (how === "try") {
      const taken = this.socket.trySend(parts);
      this.peers = this.socket.stats().peers;
      this.dealt(entry, before, taken);
      this.settled(entry, taken);
    } else {
      const sent = this.socket.send(parts, controller === null ? {} : { signal: controller.signal });
      this.peers = this.socket.stats().peers;
      if (how !== "aborted") this.dealt(entry, before, null);
      else if (sum(this.peers) !== sum(before)) this.fault(`took message ${entry.id}, aborted beforehand`);
      this.pending += 1;
      this.track(
        "send",
        sent,
        controller,
        () => {
          this.pending -= 1;
          this.settled(entry, true);
        },
        (error) => {
          this.pending -= 1;
          const isAbort = error === ABORTED && controller?.signal.aborted === true;
          if (!isAbort && (error as { code?: string }).code !== "EAGAIN")
            this.fault(`send: ${String(error)}`);
          this.settled(entry, false);
        },
      );
    }
    for (const part of parts) if (part.length <= 1024) part.fill(0x21);
    return entry;
  }

  wrote(link: Link, parts: Buffer[]): void {
    const entry = this.scene.ledger.find(parts);
    if (typeof entry === "string") {
      this.fault(`writes ${entry}`);
      return;
    }
    const { id } = entry;
    if (entry.sender !== this) this.fault(`writes message ${id}, which another one sent`);
    if (entry.state === "refused") this.fault(`writes message ${id}, which it had refused`);
    if (id <= link.lastWritten) this.fault(`writes message ${id} behind ${link.lastWritten}`);
    if (!link.heardReady) this.fault(`writes message ${id} before the peer's READY`);
    link.lastWritten = id;
    this.written += 1;
    this.writes(link, entry);
    entry.link = link;
  }

  override checkCounters(): ReturnType<Actor["checkCounters"]> {
    const stats = super.checkCounters();
    const { sent, dropped } = stats;
    const queued = stats.queued - this.untold;
    if (!this.isVague && sent + queued + dropped !== this.dealtTo)
      this.fault(`took ${this.dealtTo}, but ${sent} sent, ${queued} queued and ${dropped} dropped`);
    if (this.written > sent) this.fault(`wrote ${this.written}, but counts ${sent}`);
    if (this.written < sent && !this.hasLostLink && !this.links.some((link) => link.isFull))
      this.fault(`counts ${sent} as sent, but wrote ${this.written}`);
    const { conflate, immediate } = this.queues;
    for (const peer of stats.peers) {
      if (conflate && peer.queued > 1) this.fault(`conflates, and ${peer.queued} are queued`);
      if (immediate && peer.socketType === null && peer.queued > 0)
        this.fault(`${peer.queued} are queued for ${peer.address}, which is not connected`);
    }
    return stats;
  }

  /** Messages that wait for somebody who is connected. */
  get stuck(): number {
    const { peers } = this.socket.stats();
    return peers.reduce((sum, peer) => sum + (peer.socketType === null ? 0 : peer.queued), 0);
  }

  /** Messages for the application among those that are queued. */
  get untold(): number {
    return 0;
  }

  get side(): "sender" {
    return "sender";
  }

  /** A call has just been made. @param taken what it said; null: that is not known yet. */
  protected abstract dealt(entry: Entry, before: readonly PeerStats[], taken: boolean | null): void;
  protected abstract writes(link: Link, entry: Entry): void;

  protected settled(entry: Entry, taken: boolean): void {
    entry.state = taken ? "taken" : "refused";
    if (!taken && entry.link !== null) this.fault(`refused message ${entry.id}, but had written it`);
  }

  protected hasRoom(peer: PeerStats): boolean {
    if (this.queues.immediate && peer.socketType === null) return false;
    if (this.queues.conflate) return true;
    const { sendHighWaterMark } = this.socket;
    return sendHighWaterMark === 0 || peer.queued < sendHighWaterMark;
  }
}

/** Deals its messages out in turn to those that have room. */
export class PushActor extends Sender<Push> {
  /** The last message written to an endpoint that is dialled, over all its connections. */
  readonly #lastTo = new Map<string, number>();
  /** Peers that got a message since another one did, which had room all the time: the others have to come first. */
  #peers = "";
  #since: Set<number>[] = [];
  #dropped = 0;
  #checkedAt = 0;
  /** A peer that had dialled us is gone. */
  #hasLostCaller = false;
  /** At most so many were replaced since: known for what is taken at once, not for what waited. */
  #replaced = 0;

  constructor(scene: Scene, name: string, options: SenderOptions) {
    super(scene, name, options, (owner) => new Push({ ...COMMON, ...options }, scene.site.context(owner)));
  }

  /**
   * Nothing is dropped but what was queued for a peer that had dialled us and is gone (RFC 30), with `immediate` for any peer that is
   * gone, what a linger was too short for, and with `conflate` what a newer one took the place of.
   */
  override checkCounters(): ReturnType<Actor["checkCounters"]> {
    const stats = super.checkCounters();
    const { site } = this.scene;
    const now = site.now();
    const isTimeUp = this.lingerEnds.some(
      (end) => end <= now + site.lateness && end >= this.#checkedAt - site.lateness,
    );
    const dropped = stats.dropped - this.#dropped;
    if (dropped > this.#replaced && !isTimeUp && !this.#hasLostCaller)
      this.fault(`dropped ${dropped} without a reason, ${this.#replaced} were replaced`);
    this.#replaced = 0;
    this.#dropped = stats.dropped;
    this.#checkedAt = now;
    this.#hasLostCaller = false;
    return stats;
  }

  override ended(link: Link): void {
    super.ended(link);
    // What lingers is cut by us only when the time is up, or by a heartbeat.
    const isOurs = link.closing === "yes" && link.isCut && this.socket.heartbeatInterval === 0;
    if ((!link.isDialled || this.queues.immediate) && !isOurs) this.#hasLostCaller = true;
  }

  heard(_link: Link, parts: Buffer[]): void {
    this.fault(`hears a message: ${String(parts[0])}`);
  }

  get dialsTwice(): boolean {
    return true;
  }

  override connect(address: string): void {
    this.#lastTo.delete(address);
    super.connect(address);
  }

  protected override settled(entry: Entry, taken: boolean): void {
    if (taken) this.dealtTo += 1;
    if (taken && this.queues.conflate && !entry.isDealt) this.#replaced += 1;
    super.settled(entry, taken);
  }

  protected dealt(entry: Entry, before: readonly PeerStats[], taken: boolean | null): void {
    const after = this.peers;
    const got = before.flatMap((peer, i) => (total(after[i]) === total(peer) ? [] : [i]));
    const [to] = got;
    if (got.length > 1 || after.length !== before.length)
      this.fault(`message ${entry.id} went to ${got.join()}`);
    if (taken !== null && taken !== (to !== undefined))
      this.fault(`trySend of message ${entry.id}: ${taken}, but it went to ${to}`);
    if (to !== undefined) {
      const peer = before[to] as PeerStats;
      if (!this.hasRoom(peer)) this.fault(`message ${entry.id} went to ${peer.address}, which has no room`);
      if (total(after[to]) !== total(peer) + 1) this.fault(`message ${entry.id} counts twice`);
      entry.isDealt = true;
      if (this.queues.conflate && peer.queued > 0) this.#replaced += 1;
      this.#turn(to, before);
    } else if (this.pending === 0 && this.#closingNothing()) {
      const free = before.find((peer) => this.hasRoom(peer));
      if (free !== undefined) this.fault(`message ${entry.id} was not taken, but ${free.address} has room`);
    }
  }

  protected writes(link: Link, entry: Entry): void {
    if (entry.link !== null) this.fault(`writes message ${entry.id} again`);
    if (!link.isDialled || link.closing !== "no" || this.dials.get(link.address) !== 1) return;
    const last = this.#lastTo.get(link.address) ?? -1;
    if (entry.id < last) this.fault(`writes message ${entry.id} to ${link.address} behind ${last}`);
    this.#lastTo.set(link.address, entry.id);
  }

  /** E25: between two messages to one peer, every other that had room all the while gets one. */
  #turn(to: number, before: readonly PeerStats[]): void {
    const peers = before.map((peer) => peer.address).join();
    if (peers !== this.#peers || this.pending > 0 || !this.#closingNothing()) {
      this.#peers = peers;
      this.#since = before.map(() => new Set());
    }
    for (const [i, since] of this.#since.entries()) {
      if (i === to || !this.hasRoom(before[i] as PeerStats)) since.clear();
      else if (since.has(to))
        this.fault(`${before[to]?.address} has two turns, and ${before[i]?.address} none`);
      else since.add(to);
    }
  }

  /** Every peer in the counters is one that takes messages. */
  #closingNothing(): boolean {
    return !this.isLingering() && this.links.every((link) => link.isOver || link.closing === "no");
  }
}

export interface PublishingOptions {
  overflow: "drop" | "disconnect";
  noDrop: boolean;
  invertMatching: boolean;
}

/** Sends to every peer that has subscribed, and drops, counted, for the one that has no room. */
export abstract class PublishingActor<
  S extends Publisher | XPublisher = Publisher | XPublisher,
> extends Sender<S> {
  protected readonly publishing: PublishingOptions;

  constructor(
    scene: Scene,
    name: string,
    queues: QueueOptions,
    makeSocket: (owner: Actor) => S,
    publishing: PublishingOptions,
  ) {
    super(scene, name, queues, makeSocket);
    this.publishing = publishing;
    this.isVague = publishing.noDrop;
  }

  /** What a peer said that is no subscription: a PUB drops it. */
  heard(_link: Link, parts: Buffer[]): void {
    const entry = this.scene.ledger.find(parts);
    if (typeof entry === "string") this.fault(`hears ${entry}`);
  }

  /** Messages of a peer that the application has not received; null: that cannot be told. */
  protected inboxOf(_link: Link | undefined): number | null {
    return 0;
  }

  override checkCounters(): ReturnType<Actor["checkCounters"]> {
    const slow = this.links.find((link) => link.isTooSlow && !link.isOver);
    if (slow !== undefined && this.scene.site.lateness === 0)
      this.fault(`${slow.remoteAddress} has missed a message, and is still connected`);
    const stats = super.checkCounters();
    if (this.pending > 0 && !this.isClosed && stats.peers.every(({ queued }) => queued === 0))
      this.fault("a send waits, and nothing is queued");
    return stats;
  }

  /** Resolves when so many peers hold a topic, and no sooner. */
  awaitSubscribed(topic: string, count: number): void {
    const controller = new AbortController();
    const before = this.#leavings();
    const subscribed = this.socket.subscribed(topic, { count, signal: controller.signal });
    this.track(
      "subscribed",
      subscribed,
      controller,
      () => {
        const holders = this.links.filter(
          (link) => link.isReady && link.closing !== "yes" && matches(link.heardTopics, Buffer.from(topic)),
        );
        // One that has left since, or has taken its topic back, was one of them.
        if (holders.length < count && this.#leavings() === before)
          this.fault(`${holders.length} peers hold "${topic}", not ${count}`);
      },
      (error) => {
        if (error !== ABORTED && (error as { code?: string }).code !== "EAGAIN")
          this.fault(`subscribed: ${String(error)}`);
      },
    );
  }

  #leavings(): number {
    return this.links.reduce(
      (sum, link) => sum + link.heardCancels + (link.isOver || link.closing === "yes" ? 1 : 0),
      0,
    );
  }

  protected dealt(entry: Entry, before: readonly PeerStats[], taken: boolean | null): void {
    const after = this.peers;
    const links = new Map<string, Link>();
    for (const link of this.links) if (!link.isOver) links.set(link.remoteAddress, link);
    const { noDrop } = this.publishing;
    const got = before.map((peer, i) => total(after[i]) - total(peer));
    // PS-12: with noDrop all of them, or nobody.
    const isGiven = !noDrop || taken === true || got.some((count) => count > 0);
    if (noDrop && taken !== null && taken !== isGiven) this.fault(`trySend of message ${entry.id}: ${taken}`);
    let isHeldUp = this.pending > 0;
    let isForSomebody = false;
    for (const [i, peer] of before.entries()) {
      const link = links.get(peer.address);
      links.delete(peer.address);
      if (this.#isMeant(entry, link) && link?.closing !== "yes") {
        isForSomebody = true;
        if (link?.closing !== "no" || this.hasRoomFor(peer, link) !== true) isHeldUp = true;
      }
      if (isGiven) this.#dealtTo(entry, link, peer, after[i] as PeerStats);
    }
    if (!isGiven && !isHeldUp && (isForSomebody || taken === false))
      this.fault(`message ${entry.id} waits, and all have room`);
    for (const link of links.values())
      if (link.isReady && link.closing === "no") this.fault(`${link.remoteAddress} is not among the peers`);
  }

  /** Whether a message is for a peer, by its subscriptions (PS-1, PS-10). */
  #isMeant(entry: Entry, link: Link | undefined): boolean {
    if (link?.isReady !== true) return false;
    return matches(link.heardTopics, entry.parts[0] as Buffer) !== this.publishing.invertMatching;
  }

  /** null: that cannot be told. */
  protected hasRoomFor(peer: PeerStats, link: Link | undefined): boolean | null {
    const inbox = this.inboxOf(link);
    return inbox === null ? null : this.hasRoom({ ...peer, queued: peer.queued - inbox });
  }

  #dealtTo(entry: Entry, link: Link | undefined, before: PeerStats, after: PeerStats): void {
    const got = total(after) - total(before);
    const expected = this.#isMeant(entry, link) && link?.closing !== "yes" ? 1 : 0;
    this.dealtTo += got;
    if (got !== expected && !(got === 0 && link?.closing === "perhaps"))
      this.fault(`message ${entry.id} counts ${got} times for ${before.address}, not ${expected}`);
    if (got === 0) return;
    const isDropped = after.dropped > before.dropped;
    if (isDropped && this.publishing.noDrop)
      this.fault(`message ${entry.id} was dropped, in spite of noDrop`);
    // With `conflate` there is always room, and the one that it takes the place of counts.
    const isKept = this.queues.conflate ? before.queued === 0 : this.hasRoomFor(before, link);
    if (isDropped === isKept && link?.closing === "no")
      this.fault(`message ${entry.id} was ${isDropped ? "" : "not "}dropped for ${before.address}`);
    if (!isDropped || this.queues.conflate || this.socket.overflow === "drop" || link === undefined) return;
    link.closing = "perhaps";
    link.isTooSlow = true;
  }

  protected writes(): void {}
}

export class PubActor extends PublishingActor<Publisher> {
  constructor(scene: Scene, name: string, options: SenderOptions, publishing: PublishingOptions) {
    const make = (owner: Actor): Publisher =>
      new Publisher({ ...COMMON, ...options, ...publishing }, scene.site.context(owner));
    super(scene, name, options, make, publishing);
  }

  get dialsTwice(): boolean {
    return false;
  }
}

function total(peer: PeerStats | undefined): number {
  return peer === undefined ? 0 : peer.sent + peer.queued + peer.dropped;
}

function sum(peers: readonly PeerStats[]): number {
  return peers.reduce((count, peer) => count + total(peer), 0);
}
