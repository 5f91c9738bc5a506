import { Connection } from "../../src/zmtp/index.ts";

/** What a publisher that keeps a set holds after these bytes, and how often it was told something. */
export class Listening {
  readonly topics: Set<string> = new Set();
  told: number = 0;
  readonly #connection: Connection = new Connection({ socketType: "XPUB", now: 0 });

  hear(bytes: Uint8Array): void {
    this.#connection.push(Uint8Array.from(bytes));
    for (let event = this.#connection.next(); event !== null; event = this.#connection.next()) {
      if (event.type !== "subscription") continue;
      this.told += 1;
      const topic = Buffer.from(event.topic).toString();
      if (event.subscribe) this.topics.add(topic);
      else this.topics.delete(topic);
    }
  }
}
