import type { Event } from "../../src/zmtp/index.ts";

/** A running hash (FNV-1a) of all that came out, to compare two runs without keeping what they gave. */
export class Digest {
  value = 0x811c9dc5;

  number(n: number): void {
    this.value = Math.imul(this.value ^ (n & 0xff), 0x01000193);
    this.value = Math.imul(this.value ^ (n >>> 8), 0x01000193);
  }

  bytes(bytes: Uint8Array): void {
    let value = this.value;
    for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ (bytes[i] as number), 0x01000193);
    this.value = value;
    this.number(bytes.length);
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.number(text.charCodeAt(i));
    this.number(text.length);
  }

  event(event: Event): void {
    this.text(event.type);
    if (event.type === "message") for (const part of event.parts) this.bytes(part);
    else if (event.type === "subscription") {
      this.number(event.subscribe ? 1 : 0);
      this.bytes(event.topic);
    } else if (event.type === "pong") this.bytes(event.context);
    else if (event.type === "refused") this.text(event.error.reason);
    else {
      this.text(event.peer.socketType);
      this.bytes(event.peer.routingId);
      for (const [name, value] of event.peer.properties) {
        this.text(name);
        this.bytes(value);
      }
      this.number(event.peer.version[0] * 256 + event.peer.version[1]);
    }
  }
}
