import type { InContext } from "./context/context.ts";
import type { SocketEvents } from "./events/events.ts";
import type { Message, MessageLike } from "./message.ts";
import type { CallOptions } from "./options/options.ts";
import type { ReceiveOptions, SendOptions } from "./options/queue-options.ts";
import type { ReceiveBatchOptions } from "./patterns/receiver.ts";
import type { Socket } from "./socket.ts";

/** The types that zeromq.js has for those who write functions over sockets and events of any kind. */

/** A socket that sends: every one but `Subscriber` and `Pull`. */
export interface Writable extends Socket, SendOptions {
  send(message: MessageLike | readonly MessageLike[], options?: CallOptions): Promise<void>;
  trySend(message: MessageLike | readonly MessageLike[]): boolean;
}

/** A socket that receives: every one but `Publisher` and `Push`. */
export interface Readable extends Socket, ReceiveOptions {
  receive(options?: CallOptions): Promise<Message>;
  receiveBatch(options?: ReceiveBatchOptions): Promise<Message[]>;
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined>;
}

/** What the constructor of a socket takes: `SocketOptions<Publisher>` is what `PublisherOptions` is. */
export type SocketOptions<S extends Socket> = Partial<Pick<S, OptionNames<S>>> & InContext;

/** The properties that can be set. */
type OptionNames<S> = {
  [Name in keyof S]-?: Same<{ [N in Name]: S[N] }, { -readonly [N in Name]: S[N] }> extends true
    ? S[Name] extends (...args: never[]) => unknown
      ? never
      : Name
    : never;
}[keyof S];

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** The name of an event. */
export type EventType = keyof SocketEvents;

/** The event of that name. */
export type EventOfType<Type extends EventType = EventType> = SocketEvents[Type];
