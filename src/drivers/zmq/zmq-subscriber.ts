import { ZmqError } from "../../errors.ts";
import type { Context } from "../../sockets/index.ts";
import type { TopicOptions } from "../driver/api.ts";
import { checkTransport, type ResolvedDriverOptions } from "../driver/driver-options.ts";
import { DriverSubscriber } from "../driver/driver-subscriber.ts";
import { topicFrame } from "../event/codec.ts";
import { ZmqLink } from "./zmq-link.ts";

/** The network subscriber: a SUB connection to each publisher. */
export class ZmqSubscriber extends DriverSubscriber {
  readonly #options: ResolvedDriverOptions;
  readonly #context: Context;
  /** By address; none before daemonize(). */
  readonly #links = new Map<string, ZmqLink>();

  constructor(options: ResolvedDriverOptions, context: Context) {
    super({ name: "dragonflow subscriber", options, context });
    this.#options = options;
    this.#context = context;
  }

  protected override async start(): Promise<void> {
    const started = this.stream.daemonize(new ZmqError("EBADF"));
    for (const uri of this.addresses) this.#link(uri);
    await started;
  }

  protected override async stop(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  protected override checkAddress(uri: string): void {
    const scheme = /^([^:]+):\/\/./.exec(uri)?.[1];
    if (scheme === undefined) throw new ZmqError("EINVAL", undefined, { address: uri });
    checkTransport(scheme);
    this.environment.transports[scheme]?.check(uri, "connect");
  }

  protected override addressAdded(uri: string): void {
    this.stream.schedule.addressAdded(uri, this.stream.now);
    if (this.isDaemonize) this.#link(uri);
    this.stream.update();
  }

  protected override addressRemoved(uri: string): void {
    const link = this.#links.get(uri);
    this.#links.delete(uri);
    this.stream.schedule.addressRemoved(uri, this.stream.now);
    void link?.close();
    this.stream.update();
  }

  protected override topicAdded(topic: string, { sync }: Required<TopicOptions>): void {
    this.stream.schedule.topicAdded(this.stream.now, { sync });
    for (const link of this.#links.values()) {
      link.subscribe(topicFrame(topic));
      link.confirm();
    }
    this.stream.update();
  }

  protected override topicRemoved(topic: string): void {
    for (const link of this.#links.values()) link.unsubscribe(topicFrame(topic));
    this.stream.topicsRemoved();
  }

  #link(uri: string): void {
    const topics = this.topics.topics.map(topicFrame);
    const { stream, events, onError } = this;
    const setup = { context: this.#context, options: this.#options, stream, events, onError };
    this.#links.set(uri, new ZmqLink(uri, topics, setup));
  }
}
