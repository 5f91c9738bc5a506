import type { Command } from "./command.ts";
import type { Frame } from "./frame.ts";
import type { OutgoingMessage } from "./message.ts";
import type { OutputQueue } from "./output.ts";

/**
 * A security mechanism (RFC 37, "Authentication and Confidentiality"), one object per connection.
 *
 * Everything that leaves after the handshake is encoded here, and everything that comes is decoded here, so that no
 * path around an encryption exists.
 */
export interface Mechanism {
  /** As in the greeting: 1 to 20 ASCII characters, upper case. */
  readonly name: string;
  /** What the greeting's as-server says. */
  readonly asServer: boolean;
  /** Both greetings are complete: send what we may send first. */
  start(handshake: Handshake): void;
  /**
   * The peer's next handshake command, ERROR excepted.
   * @throws {ProtocolError} when it is not the one expected, or malformed.
   */
  receive(command: Command, handshake: Handshake): void;
  /** Appends a message, given whole or as its parts. */
  encode(message: OutgoingMessage | readonly Uint8Array[], output: OutputQueue): void;
  /** Appends a command after the handshake. */
  encodeCommand(body: Uint8Array, output: OutputQueue): void;
  /** Opens a frame received after the handshake. @throws {ProtocolError} */
  decode(frame: Frame): Frame;
}

/** What a mechanism can do during the handshake. */
export interface Handshake {
  /** Our metadata, encoded. */
  readonly metadata: Uint8Array;
  /** Sends a handshake command, given its body. */
  send(body: Uint8Array): void;
  /**
   * Hands over the peer's metadata; once it is accepted the handshake is complete when `receive` returns.
   * @throws {ProtocolError} when the peer is not acceptable.
   */
  ready(peerMetadata: Uint8Array): void;
}
