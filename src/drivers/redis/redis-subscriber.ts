import { ZmqError } from "../../errors.ts";
import {
  type GapEvent,
  type ReceivedMessage,
  ReplyError,
  RedisSubscriber as RespSubscriber,
} from "../../redis-resp/index.ts";
import type { Context, Message, Timer } from "../../sockets/index.ts";
import type { TopicOptions } from "../driver/api.ts";
import { DriverSubscriber } from "../driver/driver-subscriber.ts";
import type { Source } from "../driver/event-stream.ts";
import { SEND_ALL_TOPIC } from "../event/db-update.ts";
import { type Channel, channelsOf, exactly, isOfTheServer } from "./channels.ts";
import { ChosenMaster } from "./chosen-master.ts";
import { Confirmations } from "./confirmations.ts";
import { disconnectReason } from "./disconnect-reason.ts";
import { Doubles } from "./doubles.ts";
import { HA_TOPIC, readHaMessage } from "./ha-message.ts";
import type { ResolvedRedisOptions } from "./redis-options.ts";

/** ms after which a server that has refused a channel is asked again. */
const REFUSED_RETRY = 60_000;
/** Registered or not: it is where a writer says that it has lost something. */
const SEND_ALL: Channel = exactly(Buffer.from(SEND_ALL_TOPIC));
const HA: Channel = exactly(Buffer.from(HA_TOPIC));

/**
 * Hears one Redis server: any master of a cluster, and another one when that is lost. In force is what the server has confirmed.
 *
 * Addresses of publishers are remembered and change nothing.
 */
export class RedisSubscriber extends DriverSubscriber implements Source {
  /** Stands for the server, whichever it is. */
  readonly address = "redis";
  readonly #options: ResolvedRedisOptions;
  readonly #master: ChosenMaster;
  readonly #confirmations = new Confirmations(
    SEND_ALL,
    ({ kind, name }) => this.#resp?.state(name, kind) ?? null,
  );
  readonly #doubles = new Doubles();
  #resp: RespSubscriber | null = null;
  #retryTimer: Timer | null = null;

  constructor(options: ResolvedRedisOptions, context: Context) {
    super({ name: "dragonflow subscriber", options, context });
    this.#options = options;
    this.#master = new ChosenMaster(options, this.environment, (error) => this.#resp?.relocate(error));
    this.stream.schedule.addressAdded(this.address, this.stream.now);
  }

  override async settled(): Promise<void> {
    this.assertOpen();
    await this.stream.settled(new ZmqError("EBADF"), () => this.#confirmations.refused.length === 0);
  }

  received(): number {
    const { received = 0, dropped = 0 } = this.#resp?.stats() ?? {};
    return received - dropped;
  }

  protected override async start(): Promise<void> {
    this.stream.addSource(this);
    const started = this.stream.daemonize(new ZmqError("EBADF"));
    const resp = new RespSubscriber(
      {
        ...this.#options.connection,
        maxInboxMessages: this.#options.sendHighWaterMark,
        maxInboxBytes: this.#options.sendHighWaterMarkBytes,
        locate: () => this.#master.choose(),
      },
      this.environment,
    );
    this.#resp = resp;
    resp.events.on("connect", ({ address }) => this.#connected(address));
    resp.events.on("disconnect", (event) => this.#lost(event));
    resp.events.on("gap", (event) => this.#gap(event));
    resp.events.on("error", ({ error, channel }) => this.#failed(error, channel));
    for (const channel of this.#confirmations.wanted) this.#subscribe(channel);
    void this.#receive(resp);
    await started;
  }

  protected override async stop(): Promise<void> {
    this.#retryTimer?.cancel();
    this.#master.close();
    await this.#resp?.close();
  }

  protected override topicAdded(topic: string, { sync, match }: Required<TopicOptions>): void {
    this.stream.schedule.topicAdded(this.stream.now, { sync });
    if (topic !== SEND_ALL_TOPIC || match === "prefix") {
      const channels = channelsOf(topic, match);
      this.#confirmations.topicAdded(topic, channels);
      for (const channel of channels) this.#subscribe(channel);
    }
    this.#checkInForce();
    this.stream.update();
  }

  protected override topicRemoved(topic: string): void {
    for (const channel of this.#confirmations.topicRemoved(topic)) this.#unsubscribe(channel);
    this.stream.topicsRemoved();
    this.#checkInForce();
    this.stream.update();
  }

  /** Nothing before `daemonize`, which does it for all. */
  #subscribe(channel: Channel): void {
    const resp = this.#resp;
    if (resp === null) return;
    this.#confirmations.askedFor(channel);
    const { kind, name } = channel;
    const answered = kind === "channel" ? resp.subscribe(name) : resp.psubscribe(name);
    answered.then(
      () => this.#confirmed(channel),
      (error) => {
        if (!this.isClosed && this.#confirmations.isAsked(channel)) this.#wasRefused(channel, error);
      },
    );
  }

  #confirmed(channel: Channel): void {
    const wasRefused = this.#confirmations.wasConfirmed(channel);
    // What it was too late for is a gap; where anything else is not in force either, the sync is still to come.
    const isLate = wasRefused && this.stream.schedule.settled;
    if (isLate) this.#missed();
    this.#checkInForce();
    this.stream.update();
  }

  /** The server may think better of it. When it does not let us in at all, that is told once, not for each channel. */
  #wasRefused(channel: Channel, error: unknown): void {
    const isNews = this.#confirmations.wasRefused(channel);
    if (isNews && this.#confirmations.isConnected) this.onError(error);
    this.#askAgainLater();
    this.#checkInForce();
  }

  #askAgainLater(): void {
    this.#retryTimer ??= this.environment.setTimer(REFUSED_RETRY, () => {
      this.#retryTimer = null;
      this.#askAgain();
    });
  }

  #askAgain(): void {
    for (const channel of this.#confirmations.toAskAgain) this.#subscribe(channel);
  }

  #unsubscribe(channel: Channel): void {
    const { kind, name } = channel;
    if (this.#resp === null || (kind === "channel" && name.equals(HA.name))) return;
    const ended = kind === "channel" ? this.#resp.unsubscribe(name) : this.#resp.punsubscribe(name);
    ended.catch(this.onError);
  }

  /** Tells the schedule when the server has confirmed everything that it does not refuse. */
  #checkInForce(): void {
    const { schedule, now } = this.stream;
    if (this.isClosed || schedule.settled || !this.#confirmations.isComplete) return;
    schedule.inForce(this.address, now);
    this.events.emit({ type: "inForce", address: this.address });
    this.stream.update();
  }

  #connected(address: string): void {
    this.#confirmations.connected();
    this.#master.connected();
    this.events.emit({ type: "connected", address: `redis://${address}` });
    // Dragonflow's own, and of no concern to those who may not hear it.
    if (!this.topics.has(HA_TOPIC)) this.#resp?.subscribe(HA.name).catch(() => {});
    this.#askAgain();
  }

  #lost({ address, error, retryIn }: { address: string; error: ZmqError; retryIn: number }): void {
    this.#confirmations.lost();
    this.#master.failed();
    this.events.emit({
      type: "lost",
      address: `redis://${address}`,
      reason: disconnectReason(error),
      error,
      retryIn,
    });
    this.stream.lost(this.address);
  }

  /** Something was missed. That a connection was lost we know already: here we hear that all is confirmed again. */
  #gap({ reason }: GapEvent): void {
    if (reason === "reconnect") {
      this.#checkInForce();
      return;
    }
    this.#missed();
  }

  #missed(): void {
    this.stream.broken(this.address);
    this.stream.gap("dropped", this.address);
  }

  #failed(error: Error, channel: Buffer | undefined): void {
    if (channel === undefined) this.#master.failed();
    if (channel?.equals(HA.name) && !this.topics.has(HA_TOPIC)) return;
    if (channel !== undefined) this.#askAgainLater();
    if (channel !== undefined || error instanceof ReplyError || (error as ZmqError).code === "EPROTO")
      this.onError(error);
  }

  async #receive(resp: RespSubscriber): Promise<void> {
    while (!this.isClosed) {
      const messages = await resp.receiveBatch().catch(() => []); // rejects only because of `close`
      if (messages.length > 0)
        await this.stream.deliver(
          this,
          messages.map((message) => this.#toFrames(message)),
        );
    }
  }

  /** Null for what has come already, and for what is not for the user. */
  #toFrames(message: ReceivedMessage): Message | null {
    const { channel, pattern, payload } = message;
    if (this.#doubles.isDouble(message) || (pattern !== null && isOfTheServer(channel))) return null;
    const masters = channel.equals(HA.name) ? readHaMessage(payload) : null;
    if (masters === null) return [channel, payload];
    this.#master.hinted(masters);
    return null;
  }
}
