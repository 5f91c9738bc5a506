import { type PeerStats, XSubscriber } from "../../src/sockets/index.ts";
import type { Actor, Scene } from "./actor.ts";
import type { Link } from "./link.ts";
import { COMMON, type ReceiverOptions, SubscribingActor } from "./receiver.ts";

/** Subscribes by method or by message, takes what comes, and sends messages to all its publishers. */
export class XSubActor extends SubscribingActor<XSubscriber> {
  #sent = 0;
  #written = 0;

  constructor(
    scene: Scene,
    name: string,
    options: ReceiverOptions,
    sendHighWaterMark: number,
    verboseUnsubscribe: boolean,
  ) {
    super(scene, name, options, (owner) => {
      const given = { ...COMMON, ...options, sendHighWaterMark, verboseUnsubscribe };
      return new XSubscriber(given, scene.site.context(owner));
    });
  }

  get dialsTwice(): boolean {
    return true;
  }

  /** What is subscribed to by a message is said at every call; with verboseUnsubscribe the end of it too. */
  protected override maySayTwice(subscribe: boolean): boolean {
    return subscribe || this.socket.verboseUnsubscribe;
  }

  protected override get tellsExactly(): boolean {
    return !this.socket.verboseUnsubscribe;
  }

  /** There is no second filter. */
  wants(): boolean {
    return true;
  }

  /** As `subscribe`, `unsubscribe`, by a message (PS-8). */
  tell(subscribe: boolean, topic: string): void {
    this.count(subscribe, topic);
    this.socket.trySend(Buffer.from(`${subscribe ? "\x01" : "\x00"}${topic}`, "latin1"));
  }

  /** @param topic is subscribed to by the same messages; null: none. */
  sendUpstream(count: number, topic: string | null): void {
    for (let i = 0; i < count; i += 1) {
      const entry = this.scene.ledger.make(this, "up", 0, i % 3);
      entry.state = "taken";
      const parts = [...entry.parts];
      if (topic !== null) {
        this.count(true, topic);
        parts.splice(i % (parts.length + 1), 0, Buffer.from(`\x01${topic}`, "latin1"));
      }
      const before = this.socket.stats().peers;
      this.socket.trySend(parts);
      this.#dealt(before, this.socket.stats().peers);
    }
  }

  override wrote(link: Link, parts: Buffer[]): void {
    const entry = this.scene.ledger.find(parts);
    if (typeof entry === "string") this.fault(`writes ${entry}`);
    else {
      if (entry.sender !== this) this.fault(`writes message ${entry.id}, which another one sent`);
      if (entry.id <= link.lastWritten) this.fault(`writes message ${entry.id} behind ${link.lastWritten}`);
      if (!link.heardReady) this.fault(`writes message ${entry.id} before the peer's READY`);
      link.lastWritten = entry.id;
      this.#written += 1;
    }
  }

  /** Every publisher gets it, also one that is dialled and not connected yet, but for those without room. */
  #dealt(before: readonly PeerStats[], after: readonly PeerStats[]): void {
    const leaving = new Set(
      this.links.filter((link) => link.closing !== "no").map((link) => link.remoteAddress),
    );
    const ready = new Set(this.links.filter((link) => link.isReady).map((link) => link.remoteAddress));
    const { sendHighWaterMark } = this.socket;
    for (const [i, peer] of before.entries()) {
      const now = after[i] as PeerStats;
      const got = total(now) - total(peer);
      this.#sent += got;
      if (got > 1) this.fault(`a message counts ${got} times for ${peer.address}`);
      const hasRoom = sendHighWaterMark === 0 || peer.queued < sendHighWaterMark;
      if (now.dropped > peer.dropped && hasRoom && !leaving.has(peer.address))
        this.fault(`a message was dropped for ${peer.address}, which has room`);
      if (got === 0 && ready.has(peer.address) && !leaving.has(peer.address))
        this.fault(`a message was not for ${peer.address}`);
    }
  }

  protected override checkQueues(stats: ReturnType<Actor["checkCounters"]>): void {
    const { received, queued, sent, dropped } = stats;
    if (received - this.taken + this.#sent !== queued + sent + dropped)
      this.fault(`does not add up, ${this.taken} taken, ${this.#sent} given: ${JSON.stringify(stats)}`);
    if (this.#written > sent) this.fault(`wrote ${this.#written}, but counts ${sent}`);
    if (this.#written < sent && !this.hasLostLink && !this.links.some((link) => link.isFull))
      this.fault(`counts ${sent} as sent, but wrote ${this.#written}`);
  }
}

function total(peer: PeerStats): number {
  return peer.sent + peer.queued + peer.dropped;
}
