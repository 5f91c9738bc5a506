import { ZmqError } from "../../errors.ts";
import { type ChannelKind, KINDS } from "./channel.ts";
import { Claims } from "./claims.ts";
import { Family } from "./family.ts";
import { type Gap, type GapReason, Losses } from "./losses.ts";
import type { MessageListener, Subscription } from "./subscription.ts";
import { type Deferred, SubscriptionCall, WaitingCalls } from "./subscription-call.ts";

/** Channels at most in one command: one with ten thousand would hold up the first confirmations. */
const MOST = 500;

/** To be sent, and answered as a whole. */
export interface Command {
  readonly verb: "subscribe" | "unsubscribe";
  readonly kind: ChannelKind;
  readonly subscriptions: readonly Subscription[];
}

export type SubscriptionState = "pending" | "confirmed" | "failed";

export interface SubscriptionsHandler {
  /** The server does not allow a channel that is still wanted. It is asked again on the next connection. */
  onRefused(subscription: Subscription, error: ZmqError): void;
  /** The server ended a subscription that is still wanted. It is asked again at once. */
  onMoved(subscription: Subscription): void;
}

/**
 * What is wanted and what the server has, and what to send so that both are the same. Pure: it neither sends nor reads the time.
 *
 * Commands go out in flights: the next flight leaves when each command of the last is answered, so that no two commands about one
 * channel are ever under way. One error refuses a whole command, without a word on which channel is meant: its
 * channels are then asked each in a command of its own, in a flight of such commands only.
 *
 * A subscription is in one of these places:
 * - wanted, and with stage `new` also among the fresh ones or the suspects, from where it goes into a command
 * - ending: no longer wanted, but the server has it, or may have, until an UNSUBSCRIBE is answered
 */
export class Subscriptions {
  readonly #handler: SubscriptionsHandler;
  readonly #families: Readonly<Record<ChannelKind, Family>> = {
    channel: new Family("channel"),
    pattern: new Family("pattern"),
    shard: new Family("shard"),
  };
  readonly #waiting = new WaitingCalls();
  readonly #claims = new Claims();
  readonly #losses = new Losses();
  readonly #flight = new Set<Command>();
  /** Of commands that were refused: each to be asked alone. */
  readonly #suspects = new Set<Subscription>();
  #isConnected = false;

  constructor(handler: SubscriptionsHandler) {
    this.#handler = handler;
  }

  /** All that are wanted. */
  get size(): number {
    return KINDS.reduce((sum, kind) => sum + this.count(kind), 0);
  }

  count(kind: ChannelKind): number {
    return this.#families[kind].wanted.size;
  }

  /** Something is wanted, or the server is still to be told that it is not, or a call waits. */
  get isInUse(): boolean {
    const isWanted = KINDS.some((kind) => this.#families[kind].isInUse);
    return isWanted || !this.#waiting.isEmpty;
  }

  /** Those that are wanted. */
  keys(kind: ChannelKind): string[] {
    return [...this.#families[kind].wanted.keys()];
  }

  find(kind: ChannelKind, key: string): Subscription | undefined {
    return this.#families[kind].wanted.get(key);
  }

  /** The same by the bytes that a message brings. */
  match(kind: ChannelKind, name: Uint8Array): Subscription | undefined {
    return this.#families[kind].match(name);
  }

  /** Null for one that is not wanted. */
  state(kind: ChannelKind, key: string): SubscriptionState | null {
    const subscription = this.find(kind, key);
    if (subscription === undefined) return null;
    const { stage } = subscription;
    return stage === "confirmed" || stage === "failed" ? stage : "pending";
  }

  // What the user wants

  /**
   * The call resolves when all are confirmed. When one is refused it rejects, and its listener is taken back
   * from all of them; so it can be by `fail`, until `keep`.
   */
  subscribe(
    kind: ChannelKind,
    keys: ReadonlySet<string>,
    listener: MessageListener,
    deferred: Deferred,
  ): SubscriptionCall {
    const family = this.#families[kind];
    const call = new SubscriptionCall(deferred, listener);
    for (const key of keys) {
      const subscription = family.wanted.get(key) ?? this.#revive(family, key) ?? family.begin(key);
      this.#claims.add(subscription, call, subscription.add(listener));
      if (subscription.stage === "confirmed") continue;
      if (subscription.stage === "failed") family.renew(subscription);
      this.#waiting.wait(call, subscription);
    }
    if (call.missing.size === 0) call.resolve();
    return call;
  }

  /**
   * The call resolves when the server sends no more of them; at once where others listen still, and while there is no connection.
   * A `subscribe` that still waits for one of them waits for its others only.
   *
   * @param keys null: all of this kind. @param listener null: all of them.
   */
  unsubscribe(
    kind: ChannelKind,
    keys: ReadonlySet<string> | null,
    listener: MessageListener | null,
    deferred: Deferred,
  ): void {
    const family = this.#families[kind];
    const call = new SubscriptionCall(deferred, null);
    for (const key of keys ?? [...family.wanted.keys()]) {
      const subscription = family.wanted.get(key);
      if (subscription !== undefined) this.#release(subscription, listener);
      const ending = family.ending.get(key);
      if (ending !== undefined && !family.wanted.has(key)) this.#waiting.wait(call, ending);
    }
    if (call.missing.size === 0) call.resolve();
  }

  /** A `subscribe` has succeeded, with all that belongs to it elsewhere: what it added stays. */
  keep(call: SubscriptionCall): void {
    this.#claims.keep(call);
  }

  /**
   * Ends a call before its time: it rejects with this, and what it added is taken back, but where another
   * call wants it too.
   */
  fail(call: SubscriptionCall, error: unknown): void {
    this.#waiting.forget(call);
    for (const subscription of this.#claims.drop(call)) this.#release(subscription, call.listener);
    call.reject(error);
  }

  /** The server does not let us in: nobody is to wait for it in vain. What calls before these have added stays wanted. */
  failAll(error: ZmqError): void {
    for (const call of this.#waiting.all()) if (call.missing.size > 0) this.fail(call, error);
  }

  /** For good: nothing is wanted any more, and no call waits. */
  close(error: ZmqError): void {
    const calls = this.#waiting.all();
    this.#waiting.clear();
    this.#claims.clear();
    this.lost("reconnect", 0);
    for (const kind of KINDS) this.#families[kind].clear();
    for (const call of calls) {
      if (call.listener === null) call.resolve();
      else call.reject(error);
    }
  }

  // The connection

  /** There is one, on which nothing is subscribed yet. */
  connected(): void {
    this.#isConnected = true;
  }

  /** It is gone. Everything that is wanted is to be asked for anew. */
  lost(reason: GapReason, now: number): void {
    this.#isConnected = false;
    this.#flight.clear();
    this.#suspects.clear();
    this.#losses.retry();
    const loss = { reason, since: now };
    for (const kind of KINDS) {
      const family = this.#families[kind];
      for (const subscription of family.wanted.values()) {
        if (subscription.stage === "confirmed") this.#losses.lost(subscription, loss);
        family.renew(subscription);
      }
      for (const subscription of family.ending.values()) this.#gone(subscription);
    }
  }

  /** The commands to send now. None while commands are under way, each of which must be told to `answered`. */
  next(): Command[] {
    if (!this.#isConnected || this.#flight.size > 0) return [];
    this.#askAlone();
    // All else waits for these: it may be about the same channels.
    if (this.#flight.size > 0) return [...this.#flight];
    for (const kind of KINDS) {
      const family = this.#families[kind];
      this.#send("subscribe", kind, takeSome(family.fresh));
      this.#send("unsubscribe", kind, take(family.ending.values()));
    }
    return [...this.#flight];
  }

  /** A confirmation that a channel is subscribed to. */
  confirmed(kind: ChannelKind, key: string): void {
    const family = this.#families[kind];
    const subscription = family.wanted.get(key) ?? family.ending.get(key);
    if (subscription?.stage !== "asked") return;
    subscription.stage = "confirmed";
    if (!this.#isWanted(subscription)) return;
    this.#losses.restored(subscription);
    this.#waiting.answered(subscription);
  }

  /** A confirmation that a channel is no longer subscribed to, which the server may also send by itself. */
  ended(kind: ChannelKind, key: string, now: number): void {
    const family = this.#families[kind];
    const subscription = family.wanted.get(key) ?? family.ending.get(key);
    if (subscription?.stage !== "confirmed") return;
    if (!this.#isWanted(subscription)) {
      this.#gone(subscription);
      return;
    }
    this.#losses.lost(subscription, { reason: "moved", since: now });
    family.renew(subscription);
    this.#handler.onMoved(subscription);
  }

  /** A command's confirmations have all come, or it was refused. */
  answered(command: Command, error: ZmqError | null): void {
    if (!this.#flight.delete(command)) return;
    for (const subscription of command.subscriptions) {
      if (command.verb === "unsubscribe") this.#unsubscribed(command, subscription, error);
      else if (subscription.stage === "asked") this.#notConfirmed(command, subscription, error);
    }
  }

  /** What was lost and stands again, once nothing of it is missing. */
  takeGaps(): Gap[] {
    return this.#losses.take();
  }

  #askAlone(): void {
    for (const subscription of this.#suspects) {
      this.#suspects.delete(subscription);
      const { kind, key } = subscription;
      const isEnding = this.#families[kind].ending.get(key) === subscription;
      if (isEnding) this.#send("unsubscribe", kind, [subscription]);
      else if (this.#isWanted(subscription)) this.#send("subscribe", kind, [subscription]);
      if (this.#flight.size === MOST) return;
    }
  }

  #notConfirmed(command: Command, subscription: Subscription, error: ZmqError | null): void {
    if (!this.#isWanted(subscription)) this.#gone(subscription);
    else if (error === null)
      this.#refused(subscription, new ZmqError("EPROTO", "not confirmed by the server"));
    else if (command.subscriptions.length === 1) this.#refused(subscription, error);
    else {
      subscription.stage = "new";
      this.#suspects.add(subscription);
    }
  }

  #refused(subscription: Subscription, error: ZmqError): void {
    subscription.stage = "failed";
    this.#losses.refused(subscription);
    for (const call of this.#waiting.take(subscription)) this.fail(call, error);
    if (this.#isWanted(subscription)) this.#handler.onRefused(subscription, error);
  }

  #unsubscribed(command: Command, subscription: Subscription, error: ZmqError | null): void {
    // MOVED: the channel is another node's, so this one has nothing of it.
    if (error === null || error.code === "MOVED") this.#gone(subscription);
    else if (command.subscriptions.length > 1) this.#suspects.add(subscription);
    else {
      this.#families[subscription.kind].ending.delete(subscription.key);
      for (const call of this.#waiting.take(subscription)) this.fail(call, error);
    }
  }

  /** The server has nothing more of one that nobody wants. */
  #gone(subscription: Subscription): void {
    this.#families[subscription.kind].ending.delete(subscription.key);
    this.#waiting.answered(subscription);
  }

  #send(verb: Command["verb"], kind: ChannelKind, subscriptions: readonly Subscription[]): void {
    if (subscriptions.length === 0) return;
    for (const subscription of subscriptions) subscription.stage = verb === "subscribe" ? "asked" : "leaving";
    this.#flight.add({ verb, kind, subscriptions });
  }

  #isWanted(subscription: Subscription): boolean {
    return this.#families[subscription.kind].wanted.get(subscription.key) === subscription;
  }

  #release(subscription: Subscription, listener: MessageListener | null): void {
    this.#claims.forget(subscription, listener);
    if (listener === null) subscription.listeners = null;
    else if (!subscription.remove(listener)) return;
    const family = this.#families[subscription.kind];
    family.drop(subscription);
    this.#losses.forget(subscription);
    this.#waiting.answered(subscription);
  }

  /** It is wanted again before an UNSUBSCRIBE was sent. */
  #revive(family: Family, key: string): Subscription | undefined {
    const subscription = family.ending.get(key);
    if (subscription === undefined || subscription.stage === "leaving") return undefined;
    this.#gone(subscription);
    family.want(subscription);
    return subscription;
  }
}

/** The first ones, taken out. */
function takeSome(from: Set<Subscription>): Subscription[] {
  const taken = take(from);
  for (const subscription of taken) from.delete(subscription);
  return taken;
}

function take(from: Iterable<Subscription>): Subscription[] {
  const taken: Subscription[] = [];
  for (const subscription of from) {
    taken.push(subscription);
    if (taken.length === MOST) break;
  }
  return taken;
}
