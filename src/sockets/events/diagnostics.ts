import type { Channel, Environment } from "../../runtime/environment.ts";
import type { SocketType } from "../../zmtp/index.ts";
import type { Core } from "../core.ts";
import type { SocketEvents } from "./events.ts";

/** Published on `zmtp:drop`: messages that were not sent, for the queue was full or went with its peer. */
export interface Dropped {
  socketType: SocketType;
  /** The endpoint that was bound or dialled. */
  address: string;
  /** Messages. */
  count: number;
}

type Announced = "connect" | "accept" | "handshake" | "disconnect";

/**
 * The channels of node:diagnostics_channel, for whoever wants to see all sockets of a process: `zmtp:connect` (the events
 * `connect` and `accept`), `zmtp:handshake` and `zmtp:disconnect` carry the event with `socketType`, `zmtp:drop` a
 * {@link Dropped}.
 */
export class Diagnostics {
  readonly #channels: Readonly<Record<Announced, Channel>>;
  readonly #drop: Channel;

  constructor(environment: Environment) {
    const connect = environment.channel("zmtp:connect");
    this.#channels = {
      connect,
      accept: connect,
      handshake: environment.channel("zmtp:handshake"),
      disconnect: environment.channel("zmtp:disconnect"),
    };
    this.#drop = environment.channel("zmtp:drop");
  }

  happened(socketType: SocketType, event: SocketEvents[Announced]): void {
    const channel = this.#channels[event.type];
    if (channel.hasSubscribers) channel.publish({ socketType, ...event });
  }

  dropped(socketType: SocketType, address: string, count: number): void {
    if (!this.#drop.hasSubscribers) return;
    const dropped: Dropped = { socketType, address, count };
    this.#drop.publish(dropped);
  }
}

/** Tells those who watch the process, then those who listen to the socket. */
export function announce(core: Core, event: SocketEvents[Announced]): void {
  core.context.diagnostics.happened(core.type, event);
  core.events.emit(event);
}
