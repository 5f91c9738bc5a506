import type { OutgoingMessage } from "../../zmtp/index.ts";
import type { Environment } from "../context/environment.ts";
import type { Pipe } from "../pipes/pipe.ts";
import { type Subscriber, Subscribers } from "./subscribers.ts";

/** Sends each message to the peers that have subscribed to a prefix of its first part (RFC 29, "The PUB Socket Type"). */
export class FanOut extends Subscribers {
  readonly #environment: Environment;
  readonly #onFull: (pipe: Pipe) => void;

  /** @param onFull a peer has no room for a message that is meant for it. */
  constructor(environment: Environment, onFull: (pipe: Pipe) => void) {
    super(environment);
    this.#environment = environment;
    this.#onFull = onFull;
  }

  send(message: OutgoingMessage): void {
    const subscribers = this.match(message.parts[0] as Uint8Array);
    // Encoded once for all, unless there is only one.
    if (subscribers.length > 1) message.wire(this.#environment.allocate);
    let full: Pipe[] | null = null;
    for (let i = 0; i < subscribers.length; i += 1) {
      const { pipe } = subscribers[i] as Subscriber;
      if (!pipe.offer(message)) full = listed(full, pipe);
    }
    if (full !== null) this.#tellFull(full);
  }

  /** Sends to these peers, whatever they have subscribed to. */
  sendTo(pipes: ReadonlySet<Pipe>, message: OutgoingMessage): void {
    if (pipes.size > 1) message.wire(this.#environment.allocate);
    let full: Pipe[] | null = null;
    for (const pipe of pipes) if (!pipe.offer(message)) full = listed(full, pipe);
    if (full !== null) this.#tellFull(full);
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
