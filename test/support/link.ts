import { Connection, type ConnectionOptions, type Event } from "../../src/zmtp/index.ts";

/** How the wire delivers what one side has written: by default as it is. */
export type Wire = (chunk: Uint8Array) => Uint8Array[];

/** All that the connection has to tell; message parts are views, as they come. */
export function drain(connection: Connection): Event[] {
  const events: Event[] = [];
  for (let event = connection.next(); event !== null; event = connection.next()) events.push(event);
  return events;
}

/** Bytes that a connection has to send, as one. */
export function written(connection: Connection): Uint8Array {
  const chunks = connection.output();
  const joined = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}

/** Two connections and the wire between them, and a clock that stands still until told. No sockets. */
export class Link {
  readonly a: Connection;
  readonly b: Connection;
  readonly seen: { a: Event[]; b: Event[] } = { a: [], b: [] };
  now = 0;
  readonly #wire: Wire;

  constructor(
    a: Omit<ConnectionOptions, "now">,
    b: Omit<ConnectionOptions, "now">,
    wire: Wire = (chunk) => [chunk],
  ) {
    this.a = new Connection({ now: 0, ...a });
    this.b = new Connection({ now: 0, ...b });
    this.#wire = wire;
  }

  /** Carries bytes until neither side has any to send. */
  settle(): this {
    for (;;) {
      const toB = this.a.output();
      const toA = this.b.output();
      if (toA.length + toB.length === 0) return this;
      this.#deliver(toB, this.b, this.seen.b);
      this.#deliver(toA, this.a, this.seen.a);
    }
  }

  /** Lets time pass to `now`, ticking both sides whenever they ask for it, the wire working in between. */
  pass(now: number): this {
    for (;;) {
      const next = Math.min(this.a.wakeAt, this.b.wakeAt);
      if (next > now) break;
      this.now = Math.max(this.now, next);
      this.a.tick(this.now);
      this.b.tick(this.now);
      this.settle();
    }
    this.now = now;
    return this;
  }

  #deliver(chunks: Uint8Array[], to: Connection, seen: Event[]): void {
    for (const chunk of chunks) {
      // The receiver may keep and hand out what it gets, so it gets memory of its own.
      for (const piece of this.#wire(chunk.slice())) {
        to.received(this.now);
        to.push(piece);
        seen.push(...drain(to));
      }
    }
  }
}
