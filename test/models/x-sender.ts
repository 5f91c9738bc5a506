import { XPublisher } from "../../src/sockets/index.ts";
import type { Actor, Scene } from "./actor.ts";
import type { Entry } from "./ledger.ts";
import type { Link } from "./link.ts";
import { Reading } from "./reading.ts";
import { COMMON, PublishingActor, type PublishingOptions, type SenderOptions } from "./sender.ts";

export type Verbosity = null | "allSubs" | "allSubsUnsubs";

/** What the application of an XPUB is to be told next: a notification, or a message that came from a peer. */
interface Expected {
  /** null: told of a peer that is gone. */
  readonly from: Link | null;
  readonly text: string;
}

/**
 * Tells of subscriptions as its verbosity says (PS-4), which follows from nothing but what its peers have said; in one order with
 * the messages that they send. Nothing of it is bounded here, so that all is told of what has come in.
 */
export class XPubActor extends PublishingActor<XPublisher> {
  readonly reading: Reading = new Reading(this);
  readonly #verbosity: Verbosity;
  readonly #welcome: Entry | null;
  /** The topics of each peer that is connected, in the order of its subscriptions. */
  readonly #topics = new Map<Link, Set<string>>();
  #expected: Expected[] = [];
  #told = 0;
  #toldOfPeers = 0;
  #toldOfNobody = 0;

  constructor(
    scene: Scene,
    name: string,
    sender: SenderOptions,
    publishing: PublishingOptions,
    verbosity: Verbosity,
    hasWelcome: boolean,
  ) {
    super(
      scene,
      name,
      sender,
      (owner: Actor) => {
        const options = { ...COMMON, ...sender, ...publishing, verbosity, receiveHighWaterMark: 0 };
        return new XPublisher(options, scene.site.context(owner));
      },
      publishing,
    );
    this.#verbosity = verbosity;
    this.#welcome = hasWelcome ? scene.ledger.make(this, "welcome", 0, 0) : null;
    if (this.#welcome === null) return;
    this.#welcome.state = "taken";
    this.socket.welcomeMessage = this.#welcome.parts[0] as Buffer;
  }

  override get dialsTwice(): boolean {
    return true;
  }

  get taken(): number {
    return this.#told;
  }

  /** What the application has not been told yet. */
  override get untold(): number {
    return this.#expected.length;
  }

  override inboxOf(link: Link | undefined): number | null {
    if (this.#expected.length === 0) return 0;
    if (this.reading.isUnderWay) return null;
    let count = 0;
    for (const { from } of this.#expected) {
      if (from === link) count += 1;
      // What an endpoint that is dialled has kept, it keeps over its connections.
      else if (from?.isDialled && link?.isDialled && from.address === link.address) return null;
    }
    return count;
  }

  override readied(link: Link): void {
    if (link.closing !== "no") {
      if (link.closing === "perhaps") this.isVague = true;
      return;
    }
    this.#topics.set(link, new Set());
    if (this.#welcome !== null) this.dealtTo += 1;
  }

  override heardSubscription(link: Link, subscribe: boolean, topic: string): void {
    const topics = this.#topics.get(link);
    if (topics === undefined) return;
    const isFirst = !this.#isHeld(topic);
    if (subscribe) topics.add(topic);
    else topics.delete(topic);
    const isTold = subscribe
      ? isFirst || this.#verbosity !== null
      : this.#verbosity === "allSubsUnsubs" || !this.#isHeld(topic);
    if (isTold) this.#expect(link, notification(subscribe, topic));
  }

  override heard(link: Link, parts: Buffer[]): void {
    super.heard(link, parts);
    if (this.#topics.has(link)) this.#expect(link, textOf(parts));
  }

  override ended(link: Link): void {
    super.ended(link);
    this.#leave(link);
  }

  protected override closeLinks(linger: number, which: (link: Link) => boolean): void {
    super.closeLinks(linger, which);
    for (const link of this.links) if (which(link)) this.#leave(link);
  }

  override close(linger: number): void {
    // What its own end ends is not told.
    this.#topics.clear();
    super.close(linger);
  }

  /** The application got a message. */
  took(parts: Uint8Array[]): void {
    this.#told += 1;
    const text = textOf(parts);
    const expected = this.#expected.shift();
    if (this.isVague || expected?.text === text) return;
    this.fault(`is told ${show(text)}, not ${expected === undefined ? "nothing" : show(expected.text)}`);
  }

  override checkCounters(): ReturnType<Actor["checkCounters"]> {
    const stats = super.checkCounters();
    if (!this.isVague && stats.received !== this.#toldOfPeers)
      this.fault(`received ${stats.received}, but peers have said ${this.#toldOfPeers}`);
    if (!this.isVague && this.#told + this.#expected.length !== this.#toldOfPeers + this.#toldOfNobody)
      this.fault("the model has lost count");
    for (const link of this.links) {
      const isDue = this.#topics.has(link) && link.isReady && !link.isFull && this.#welcome !== null;
      if (isDue && link.lastWritten < this.#welcome.id) this.fault(`${link.remoteAddress} has no welcome`);
    }
    return stats;
  }

  #isHeld(topic: string): boolean {
    for (const topics of this.#topics.values()) if (topics.has(topic)) return true;
    return false;
  }

  #expect(from: Link | null, text: string): void {
    this.#expected.push({ from, text });
    if (from === null) this.#toldOfNobody += 1;
    else this.#toldOfPeers += 1;
  }

  /** A peer has gone, and its subscriptions with it. */
  #leave(link: Link): void {
    const topics = this.#topics.get(link);
    this.#topics.delete(link);
    for (const topic of topics ?? [])
      if (this.#verbosity === "allSubsUnsubs" || !this.#isHeld(topic))
        this.#expect(null, notification(false, topic));
  }
}

function notification(subscribe: boolean, topic: string): string {
  return `${subscribe ? "\x01" : "\x00"}${topic}`;
}

function textOf(parts: readonly Uint8Array[]): string {
  return parts.map((part) => Buffer.from(part).toString("latin1")).join("|");
}

function show(text: string): string {
  return JSON.stringify(text);
}
