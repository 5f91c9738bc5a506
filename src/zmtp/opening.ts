import { ProtocolError, RefusedError } from "../errors.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { type Command, errorBody, parseErrorReason } from "./command.ts";
import type { Event } from "./event.ts";
import { COMMAND } from "./frame.ts";
import { encodeGreeting, type Greeting, GreetingReader } from "./greeting.ts";
import type { Handshake } from "./mechanism.ts";
import type { ResolvedOptions } from "./options.ts";
import type { OutputQueue } from "./output.ts";
import { type PeerInfo, readPeerInfo } from "./peer-info.ts";
import { quoted } from "./printable.ts";

/** What comes before the traffic: both greetings, and what the mechanism makes of the handshake (RFC 37, "Formal Grammar"). */
export class Opening implements Handshake {
  readonly #options: ResolvedOptions;
  readonly #output: OutputQueue;
  readonly #reader = new GreetingReader();
  #version: [number, number] | null = null;
  #peer: PeerInfo | null = null;

  /** Our greeting goes into the output at once, for the peer may wait for it. */
  constructor(options: ResolvedOptions, output: OutputQueue) {
    this.#options = options;
    this.#output = output;
    output.append([encodeGreeting(options.mechanism.name, options.mechanism.asServer)]);
  }

  /** What the peer announced; `null` before its greeting is complete. */
  get version(): [number, number] | null {
    return this.#version;
  }

  /** `null` before its metadata was accepted. */
  get peer(): PeerInfo | null {
    return this.#peer;
  }

  /**
   * Takes the bytes of the peer's greeting.
   * @returns whether it is complete, and acceptable.
   * @throws {ProtocolError} `ERR_ZMTP_VERSION`, `ERR_ZMTP_MECHANISM_MISMATCH`.
   */
  readGreeting(bytes: ByteQueue): boolean {
    while (bytes.length > 0) {
      const greeting = this.#reader.read(bytes.takeByte());
      if (greeting === null) continue;
      this.#accept(greeting);
      return true;
    }
    return false;
  }

  start(): void {
    this.#options.mechanism.start(this);
  }

  /** @returns `ready` or `refused` when that ends the handshake, else `null`. @throws {ProtocolError} */
  receive(command: Command): Event | null {
    // RFC 37, "Error Handling".
    if (command.name === "ERROR") {
      return { type: "refused", error: new RefusedError(parseErrorReason(command.data)) };
    }
    this.#options.mechanism.receive(command, this);
    return this.#peer === null ? null : { type: "ready", peer: this.#peer };
  }

  // What the mechanism is given.

  get metadata(): Uint8Array {
    return this.#options.metadata;
  }

  send(body: Uint8Array): void {
    this.#output.frame(COMMAND, body);
  }

  /** A peer that we cannot talk to is told so, for that is what ERROR is for. */
  ready(metadata: Uint8Array): void {
    const { socketType, allocate } = this.#options;
    try {
      this.#peer = readPeerInfo(metadata, socketType, this.#version as [number, number], allocate);
    } catch (error) {
      if (error instanceof ProtocolError) this.send(errorBody(refusalReason(error)));
      throw error;
    }
  }

  #accept(greeting: Greeting): void {
    const { mechanism } = this.#options;
    if (greeting.mechanism !== mechanism.name) {
      const rule = "RFC 37, Authentication and Confidentiality";
      const message = `the peer uses ${quoted(greeting.mechanism)}, we use ${mechanism.name}`;
      throw new ProtocolError("ERR_ZMTP_MECHANISM_MISMATCH", rule, message);
    }
    this.#version = greeting.version;
  }
}

/** Says what is wrong in words of our own: nothing of what the peer sent goes back. */
function refusalReason(error: ProtocolError): string {
  return error.code === "ERR_ZMTP_SOCKET_TYPE" ? "Socket-Type not acceptable" : "Invalid metadata";
}
