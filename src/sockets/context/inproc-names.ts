import { ZmqError } from "../../errors.ts";
import { isCompatible } from "../../zmtp/index.ts";
import type { InprocBinding } from "../endpoints/inproc-binding.ts";
import type { InprocPipe } from "../pipes/inproc-pipe.ts";

/** zmq_inproc(7): what a name may have, here in bytes of UTF-8. */
const MAX_NAME = 256;

/** @throws {ZmqError} EINVAL for a name that is too long. */
export function checkInprocAddress(address: string): void {
  const length = new TextEncoder().encode(address.slice("inproc://".length)).length;
  if (length <= MAX_NAME) return;
  const message = `Invalid argument: a name of ${length} bytes, ${MAX_NAME} at most`;
  throw new ZmqError("EINVAL", message, { address });
}

/** The inproc addresses of one context: who has bound them, and who waits for one that nobody has. */
export class InprocNames {
  readonly #bound = new Map<string, InprocBinding>();
  readonly #waiting = new Map<string, Set<InprocPipe>>();

  /** How many addresses are bound, and how many pipes wait. */
  get size(): { bound: number; waiting: number } {
    let waiting = 0;
    for (const pipes of this.#waiting.values()) waiting += pipes.size;
    return { bound: this.#bound.size, waiting };
  }

  /**
   * Those that wait are connected, but for sockets of a type that does not talk to ours: they wait on.
   * @throws {ZmqError} EADDRINUSE.
   */
  bind(binding: InprocBinding): void {
    const { address, type } = binding;
    if (this.#bound.has(address)) throw new ZmqError("EADDRINUSE", undefined, { address });
    this.#bound.set(address, binding);
    for (const pipe of this.#waiting.get(address) ?? []) {
      if (!isCompatible(type, pipe.type)) {
        binding.warn(
          `zmtp: a ${pipe.type} waits for ${address}, and a ${type} that cannot talk to it binds it`,
        );
        continue;
      }
      this.forget(pipe);
      binding.accept(pipe);
    }
  }

  /** The name is free; pipes that are connected stay. */
  unbind(binding: InprocBinding): void {
    if (this.#bound.get(binding.address) === binding) this.#bound.delete(binding.address);
  }

  /** @throws {ZmqError} EINVAL where a socket has bound the address that does not talk to ones of this type. */
  assertMayConnect(pipe: InprocPipe): void {
    const { address } = pipe;
    const binding = this.#bound.get(address);
    if (binding === undefined || isCompatible(binding.type, pipe.type)) return;
    const message = `Invalid argument: a ${binding.type} is bound to ${address}, which does not talk to a ${pipe.type}`;
    throw new ZmqError("EINVAL", message, { address });
  }

  /** Connects the pipe, now or as soon as somebody binds its address. */
  connect(pipe: InprocPipe): void {
    const { address } = pipe;
    const binding = this.#bound.get(address);
    if (binding !== undefined) binding.accept(pipe);
    else this.#waiting.set(address, (this.#waiting.get(address) ?? new Set()).add(pipe));
  }

  /** The pipe no longer waits. */
  forget(pipe: InprocPipe): void {
    const pipes = this.#waiting.get(pipe.address);
    if (pipes?.delete(pipe) && pipes.size === 0) this.#waiting.delete(pipe.address);
  }
}
