/** What one end of a connection said or heard, as far as it is complete. */
export interface Listening {
  /** READY has gone by: the handshake of this direction is complete. */
  onReady(): void;
  onMessage(parts: Buffer[]): void;
  onSubscription(subscribe: boolean, topic: Buffer): void;
}

const GREETING = 64;

/**
 * Reads one direction of a connection, frame by frame, by RFC 37 ("The Greeting", "Framing") and by nothing of the engine: it is
 * what the models hold the sockets against.
 */
export class Tape {
  readonly #listening: Listening;
  readonly #isUpstream: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  /** What came since, joined when the frame may be complete. */
  #more: Buffer[] = [];
  #moreLength = 0;
  #needed = GREETING;
  #greeted = false;
  #parts: Buffer[] = [];

  /** @param isUpstream messages go to a publisher: each part may be a subscription (PS-7). */
  constructor(isUpstream: boolean, listening: Listening) {
    this.#isUpstream = isUpstream;
    this.#listening = listening;
  }

  push(chunk: Uint8Array): void {
    this.#more.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#moreLength += chunk.length;
    if (this.#bytes.length + this.#moreLength < this.#needed) return;
    this.#bytes = Buffer.concat([this.#bytes, ...this.#more]);
    this.#more = [];
    this.#moreLength = 0;
    if (!this.#greeted) {
      this.#greeted = true;
      this.#bytes = this.#bytes.subarray(GREETING);
    }
    for (let frame = this.#frame(); frame !== null; frame = this.#frame()) this.#read(frame);
  }

  #frame(): { flags: number; body: Buffer } | null {
    this.#needed = 2;
    if (this.#bytes.length < this.#needed) return null;
    const flags = this.#bytes[0] as number;
    const isLong = (flags & 2) !== 0;
    const header = isLong ? 9 : 2;
    this.#needed = header;
    if (this.#bytes.length < this.#needed) return null;
    const size = isLong ? Number(this.#bytes.readBigUInt64BE(1)) : (this.#bytes[1] as number);
    this.#needed = header + size;
    if (this.#bytes.length < this.#needed) return null;
    const body = this.#bytes.subarray(header, header + size);
    this.#bytes = this.#bytes.subarray(header + size);
    return { flags, body };
  }

  #read({ flags, body }: { flags: number; body: Buffer }): void {
    if ((flags & 4) === 0) {
      if (this.#isUpstream && body.length > 0 && (body[0] as number) <= 1)
        this.#listening.onSubscription(body[0] === 1, body.subarray(1));
      else this.#parts.push(body);
      if ((flags & 1) !== 0) return;
      const parts = this.#parts;
      this.#parts = [];
      if (parts.length > 0) this.#listening.onMessage(parts);
      return;
    }
    const length = body[0] as number;
    const name = body.toString("latin1", 1, 1 + length);
    const data = body.subarray(1 + length);
    if (name === "READY") this.#listening.onReady();
    else if (name === "SUBSCRIBE" || name === "CANCEL")
      this.#listening.onSubscription(name === "SUBSCRIBE", data);
  }
}
