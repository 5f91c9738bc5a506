import { ProtocolError } from "../errors.ts";
import { type Command, commandBody } from "./command.ts";
import { COMMAND, type Frame } from "./frame.ts";
import type { Handshake, Mechanism } from "./mechanism.ts";
import { OutgoingMessage } from "./message.ts";
import type { OutputQueue } from "./output.ts";
import { quoted } from "./printable.ts";

/**
 * RFC 37, "The NULL Security Mechanism": each side sends READY with its metadata as soon as the greetings are complete,
 * neither waits for the other, and then messages and commands go as they are.
 */
export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly asServer = false;

  start(handshake: Handshake): void {
    handshake.send(commandBody("READY", handshake.metadata));
  }

  receive(command: Command, handshake: Handshake): void {
    if (command.name !== "READY") {
      const message = `${quoted(command.name)} where READY is expected`;
      throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "RFC 37, The NULL Security Mechanism", message);
    }
    handshake.ready(command.data);
  }

  encode(message: OutgoingMessage | readonly Uint8Array[], output: OutputQueue): void {
    if (!(message instanceof OutgoingMessage)) output.encode(message);
    else if (message.isEncoded) output.append(message.wire(output.allocate));
    else output.encode(message.parts);
  }

  encodeCommand(body: Uint8Array, output: OutputQueue): void {
    output.frame(COMMAND, body);
  }

  decode(frame: Frame): Frame {
    return frame;
  }
}
