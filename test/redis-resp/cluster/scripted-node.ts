import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { RespDecoder } from "../../../src/redis-resp/protocol/decoder.ts";
import { asText, type RespValue } from "../../../src/redis-resp/protocol/values.ts";

/** RESP2 bytes; null: no answer. */
type Answer = (command: string, node: ScriptedNode) => string | null;

/** A server on loopback that answers each command with the bytes it is told to. It knows no HELLO. */
export class ScriptedNode implements AsyncDisposable {
  /** What came, in order, without the handshake. */
  readonly commands: string[] = [];
  readonly sockets: Set<Socket> = new Set();
  readonly #answer: Answer;
  readonly #server: Server;

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("error", () => {});
    const decoder = new RespDecoder();
    socket.on("data", (chunk) => {
      decoder.push(chunk);
      for (let value = decoder.next(); value !== undefined; value = decoder.next()) {
        const command = (asText(value as RespValue) as string[]).join(" ");
        if (command === "PING") socket.write("+PONG\r\n");
        else if (command.startsWith("HELLO")) socket.write("-ERR unknown command 'HELLO'\r\n");
        else {
          this.commands.push(command);
          const answer = this.#answer(command, this);
          if (answer !== null) socket.write(answer);
        }
      }
    });
  }
}

/** CLUSTER SLOTS of a server before 7.0: one master with all slots. */
export function allSlots(port: number): string {
  return `*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:${port}\r\n$1\r\na\r\n`;
}
