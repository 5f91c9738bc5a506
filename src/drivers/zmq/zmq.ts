import { nodeContext } from "../../node.ts";
import type { Context } from "../../sockets/index.ts";
import type { PublisherApi, PubSubApi, SubscriberApi } from "../driver/api.ts";
import {
  checkTransport,
  type DriverOptions,
  type ResolvedDriverOptions,
  resolveDriverOptions,
} from "../driver/driver-options.ts";
import { ZmqMultiprocPublisher } from "./zmq-multiproc-publisher.ts";
import { ZmqMultiprocSubscriber } from "./zmq-multiproc-subscriber.ts";
import { ZmqPublisher } from "./zmq-publisher.ts";
import { ZmqSubscriber } from "./zmq-subscriber.ts";

/** How the ends of a driver are made. */
type End<T> = new (options: ResolvedDriverOptions, context: Context) => T;

/** A publisher and a subscriber with the same options. */
class ZmqDriver<P extends PublisherApi, S extends SubscriberApi> implements PubSubApi {
  readonly #publisher: P;
  readonly #subscriber: S;

  constructor(given: DriverOptions, Publisher: End<P>, Subscriber: End<S>) {
    const options = resolveDriverOptions(given);
    checkTransport(options.publisherTransport);
    const context = given.context ?? nodeContext();
    this.#publisher = new Publisher(options, context);
    this.#subscriber = new Subscriber(options, context);
  }

  /** Always the same one. */
  getPublisher(): P {
    return this.#publisher;
  }

  /** Always the same one. */
  getSubscriber(): S {
    return this.#subscriber;
  }
}

/**
 * Between hosts: a PUB that binds, SUBs that connect.
 *
 * @throws {UnsupportedTransportError} for a `publisherTransport` that is neither tcp nor epgm (epgm: EINVAL, not yet).
 * @throws {ConfigError} EINVAL for a bad option; {UnknownOptionError} for one that does not exist. So do the others.
 */
export class ZmqPubSub extends ZmqDriver<ZmqPublisher, ZmqSubscriber> {
  constructor(options: DriverOptions = {}) {
    super(options, ZmqPublisher, ZmqSubscriber);
  }
}

/** Between the processes of a host: PUSHes that connect to a Unix socket, a PULL that binds it. */
export class ZmqPubSubMultiproc extends ZmqDriver<ZmqMultiprocPublisher, ZmqMultiprocSubscriber> {
  constructor(options: DriverOptions = {}) {
    super(options, ZmqMultiprocPublisher, ZmqMultiprocSubscriber);
  }
}

/** The last Dragonflow's driver for the publisher service: hears the writers of its host, publishes to the network. */
export class ZmqPubSubBind extends ZmqDriver<ZmqPublisher, ZmqMultiprocSubscriber> {
  constructor(options: DriverOptions = {}) {
    super(options, ZmqPublisher, ZmqMultiprocSubscriber);
  }
}

/** The last Dragonflow's driver for everyone else: publishes through the service of its host, hears the network. */
export class ZmqPubSubConnect extends ZmqDriver<ZmqMultiprocPublisher, ZmqSubscriber> {
  constructor(options: DriverOptions = {}) {
    super(options, ZmqMultiprocPublisher, ZmqSubscriber);
  }
}
