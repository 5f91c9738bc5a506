import { Fifo } from "../../src/runtime/fifo.ts";
import { defaultOptions } from "../../src/sockets/options/options.ts";
import { FairQueue } from "../../src/sockets/patterns/fair-queue.ts";
import type { Pipe } from "../../src/sockets/pipes/pipe.ts";
import { Inbox, Outbox } from "../../src/sockets/pipes/queues.ts";
import { ByteQueue } from "../../src/zmtp/byte-queue.ts";
import { OutgoingMessage, OutputQueue } from "../../src/zmtp/index.ts";
import { suite } from "./suite.ts";

const ITEMS = 1000;
const allocate = (size: number): Uint8Array => Buffer.allocUnsafe(size);

/** In and out again, so many at a time. */
function fifo(atATime: number): () => void {
  const queue = new Fifo<object>();
  const item = {};
  return () => {
    for (let done = 0; done < ITEMS; done += atATime) {
      for (let n = 0; n < atATime; n += 1) queue.push(item);
      for (let n = 0; n < atATime; n += 1) if (queue.shift() === undefined) throw new Error("too few");
    }
  };
}

function outbox(size: number): () => void {
  const queue = new Outbox(defaultOptions(), false);
  const parts = [new Uint8Array(size)];
  return () => {
    for (let n = 0; n < ITEMS; n += 1) queue.push(new OutgoingMessage(parts), allocate);
    while (queue.shift() !== undefined);
  };
}

function inbox(): () => void {
  const queue = new Inbox(defaultOptions(), false);
  const parts = [new Uint8Array(5), new Uint8Array(16)];
  return () => {
    for (let n = 0; n < ITEMS; n += 1) queue.push(parts);
    while (queue.shift() !== undefined);
  };
}

/** What a queue of messages asks of a pipe. */
class Kept implements Pick<Pipe, "isGone" | "kept" | "keep" | "take"> {
  readonly #messages = new Fifo<Uint8Array[]>();
  readonly isGone = false;

  get kept(): number {
    return this.#messages.length;
  }

  keep(parts: Uint8Array[]): void {
    this.#messages.push(parts);
  }

  take(): Uint8Array[] | undefined {
    return this.#messages.shift();
  }
}

function fairQueue(peers: number): () => void {
  const queue = new FairQueue();
  const pipes = Array.from({ length: peers }, () => new Kept() as unknown as Pipe);
  const parts = [new Uint8Array(16)];
  return () => {
    for (let n = 0; n < ITEMS; n += 1) queue.push(pipes[n % peers]!, parts);
    let count = 0;
    while (queue.shift() !== undefined) count += 1;
    if (count !== ITEMS) throw new Error(`${count} messages`);
  };
}

/** Bodies of one size taken from chunks of another. */
function byteQueue(size: number, chunkSize: number): () => void {
  const queue = new ByteQueue(allocate);
  const chunk = new Uint8Array(chunkSize);
  return () => {
    for (let n = 0; n < ITEMS; n += 1) {
      while (queue.length < size) queue.push(chunk);
      if (queue.take(size).length !== size) throw new Error("too short");
    }
  };
}

/** Encoded before, as for several subscribers. */
function outputQueue(size: number): () => void {
  const queue = new OutputQueue(allocate);
  const wire = new OutgoingMessage([new Uint8Array(size)]).wire(allocate);
  return () => {
    for (let n = 0; n < ITEMS; n += 1) queue.append(wire);
    queue.take();
  };
}

export async function run(): Promise<void> {
  await suite("Fifo, per item in and out", ITEMS, {
    "1 at a time": () => fifo(1),
    "10 at a time": () => fifo(10),
    "1000 at a time": () => fifo(1000),
  });
  await suite("Outbox, per message in (encoded) and out", ITEMS, {
    "16 B": () => outbox(16),
    "1 KiB": () => outbox(1024),
  });
  await suite("Inbox, per message in and out", ITEMS, { "2 parts": inbox });
  await suite("FairQueue, per message in and out", ITEMS, {
    "1 peer": () => fairQueue(1),
    "2 peers": () => fairQueue(2),
    "100 peers": () => fairQueue(100),
  });
  await suite("ByteQueue, per body taken", ITEMS, {
    "16 B of 64 KiB chunks": () => byteQueue(16, 65_536),
    "1 KiB of 64 KiB chunks": () => byteQueue(1024, 65_536),
    "64 KiB of 1460 B chunks": () => byteQueue(65_536, 1460),
  });
  await suite("OutputQueue, per message of one frame appended and taken", ITEMS, {
    "16 B": () => outputQueue(16),
    "1 KiB": () => outputQueue(1024),
    "64 KiB": () => outputQueue(65_536),
  });
}
