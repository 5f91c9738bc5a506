import type { Environment } from "../../runtime/environment.ts";
import type { OutgoingMessage } from "../../zmtp/index.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { type Subscriber, Subscribers, type Tell } from "./subscribers.ts";

/** Sends each message to the peers that have subscribed to a prefix of its first part (RFC 29, "The PUB Socket Type"). */
export class FanOut extends Subscribers {
  readonly #environment: Environment;
  readonly #onFull: (pipe: Pipe) => void;
  /** For the peers that a message is for, used again and again. */
  #list: Subscriber[] | null = null;
  /** In use; it is kept when it is given back, unless somebody has gone meanwhile. */
  #lent: Subscriber[] | null = null;

  /** @param onFull a peer has no room for a message that is meant for it. */
  constructor(environment: Environment, onFull: (pipe: Pipe) => void) {
    super(environment);
    this.#environment = environment;
    this.#onFull = onFull;
  }

  /** Whether all that a message is for have room for it. */
  hasRoom(message: OutgoingMessage): boolean {
    const found = this.#takeList();
    const count = this.match(message.parts[0] as Uint8Array, found);
    let hasRoom = true;
    for (let i = 0; i < count && hasRoom; i += 1) hasRoom = (found[i] as Subscriber).pipe.hasRoom();
    this.#giveList(found, count);
    return hasRoom;
  }

  send(message: OutgoingMessage): void {
    const found = this.#takeList();
    const count = this.match(message.parts[0] as Uint8Array, found);
    // Encoded once for all, unless there is only one.
    if (count > 1) message.wire(this.#environment.allocateUnseen);
    let full: Pipe[] | null = null;
    for (let i = 0; i < count; i += 1) {
      const { pipe } = found[i] as Subscriber;
      if (!pipe.offer(message)) full = listed(full, pipe);
    }
    this.#giveList(found, count);
    if (full !== null) this.#tellFull(full);
  }

  override remove(pipe: Pipe, tell?: Tell): void {
    this.#list = null;
    this.#lent = null;
    super.remove(pipe, tell);
  }

  /** Sends to these peers, whatever they have subscribed to. */
  sendTo(pipes: ReadonlySet<Pipe>, message: OutgoingMessage): void {
    if (pipes.size > 1) message.wire(this.#environment.allocateUnseen);
    let full: Pipe[] | null = null;
    for (const pipe of pipes) if (!pipe.offer(message)) full = listed(full, pipe);
    if (full !== null) this.#tellFull(full);
  }

  /** A peer that is offered a message may lead to another one being sent: that one gets a list of its own. */
  #takeList(): Subscriber[] {
    const list = this.#list ?? [];
    this.#list = null;
    this.#lent = list;
    return list;
  }

  /** With nobody in it who was not found just now. */
  #giveList(list: Subscriber[], count: number): void {
    if (list !== this.#lent) return;
    this.#lent = null;
    if (list.length > count) list.length = count;
    this.#list = list;
  }

  /** Only when all have been offered the message: whoever hears of it may send another, or end a connection. */
  #tellFull(pipes: readonly Pipe[]): void {
    for (const pipe of pipes) this.#onFull(pipe);
  }
}

function listed(pipes: Pipe[] | null, pipe: Pipe): Pipe[] {
  if (pipes === null) return [pipe];
  pipes.push(pipe);
  return pipes;
}
