/** What a client sends is always an array of bulk strings, in RESP2 and RESP3: the command's name and its arguments. */
import { ZmqError } from "../../errors.ts";
import type { Environment } from "../../runtime/environment.ts";

/** Numbers are sent as decimal text, whole ones without an exponent; strings as UTF-8. */
export type Argument = string | Uint8Array | number | bigint;

/** What a {@link CommandWriter} needs of its runtime. */
export type WriterEnvironment = Pick<Environment, "allocateUnseen" | "encodeText" | "writeText">;

const ARRAY = 0x2a; // *
const BULK_STRING = 0x24; // $
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

/** Longer arguments are passed on by reference. */
const COPY_LIMIT = 4096;
/** Type, up to 16 digits, and two line ends. */
const FRAME = 21;
/** Text of up to so many characters is encoded by hand, when it is ASCII. */
const SHORT_TEXT = 32;
/** Text of up to so many is encoded in place: no character takes more than 3 bytes. */
const COPIED_TEXT = Math.floor(COPY_LIMIT / 3);

const SMALLEST_SLAB = 1024;
const LARGEST_SLAB = 65_536;

const NOTHING = new Uint8Array(0);

/**
 * One command as bytes.
 *
 * @throws {TypeError} for an argument that is no string, Uint8Array, finite number or bigint.
 * @throws {ZmqError} EINVAL without any argument.
 */
export function encodeCommand(args: readonly Argument[]): Uint8Array {
  const writer = new CommandWriter(PLAIN);
  const command = new Uint8Array(writer.write(args));
  let at = 0;
  for (const chunk of writer.take()) {
    command.set(chunk, at);
    at += chunk.length;
  }
  return command;
}

const encoder = new TextEncoder();
const PLAIN: WriterEnvironment = {
  allocateUnseen: (size) => new Uint8Array(size),
  encodeText: (text) => encoder.encode(text),
  writeText: (text, memory, at) => encoder.encodeInto(text, memory.subarray(at)).written,
};

/**
 * Commands on their way to the server, in order.
 *
 * Short arguments are joined in a slab of memory, those of more than 4 KiB are passed on by reference: their
 * bytes must not be changed until they are sent. What was handed out is not written to again before `rewind`:
 * the next bytes go behind it in the same slab.
 */
export class CommandWriter {
  readonly #environment: WriterEnvironment;
  #chunks: Uint8Array[] = [];
  /** Bytes of the chunks. */
  #sealed = 0;
  #slab: Uint8Array = NOTHING;
  /** The slab's bytes from `#from` to `#to` wait; those before were handed out. */
  #from = 0;
  #to = 0;
  #slabSize = SMALLEST_SLAB;

  constructor(environment: WriterEnvironment) {
    this.#environment = environment;
  }

  /** Bytes that wait here. */
  get size(): number {
    return this.#sealed + this.#to - this.#from;
  }

  /**
   * Adds a command: the whole of it, or nothing when it throws.
   *
   * @returns its size in bytes.
   * @throws {TypeError} for an argument that is no string, Uint8Array, finite number or bigint.
   * @throws {ZmqError} EINVAL without any argument.
   */
  write(args: readonly Argument[]): number {
    checkArguments(args);
    return this.writeChecked(args);
  }

  /** @internal The same for what {@link checkArguments} has passed. */
  writeChecked(args: readonly Argument[]): number {
    const before = this.size;
    this.#reserve(FRAME);
    this.#line(ARRAY, args.length);
    for (let i = 0; i < args.length; i++) {
      const argument = args[i] as Argument;
      if (typeof argument === "string") this.#text(argument);
      else if (typeof argument === "object") this.#bytes(argument);
      else this.#text(numberText(argument));
    }
    return this.size - before;
  }

  /** Hands out everything that waits. The chunks are the caller's until `rewind`. */
  take(): Uint8Array[] {
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#sealed = 0;
    return chunks;
  }

  /** All that was handed out has been sent: its memory, still in the cache, takes the next commands. */
  rewind(): void {
    if (this.size > 0) return;
    this.#from = 0;
    this.#to = 0;
  }

  #text(text: string): void {
    if (text.length > COPIED_TEXT) {
      this.#bytes(this.#environment.encodeText(text));
      return;
    }
    this.#reserve(FRAME + 3 * text.length);
    const begin = this.#to;
    this.#line(BULK_STRING, text.length);
    const isAscii =
      text.length <= SHORT_TEXT
        ? writeAscii(text, this.#slab, this.#to)
        : this.#environment.writeText(text, this.#slab, this.#to) === text.length;
    if (isAscii) {
      this.#to += text.length;
      this.#lineEnd();
      return;
    }
    // The length that was written is not that of the bytes.
    this.#to = begin;
    this.#bytes(this.#environment.encodeText(text));
  }

  #bytes(bytes: Uint8Array): void {
    const isCopied = bytes.length <= COPY_LIMIT;
    this.#reserve(isCopied ? FRAME + bytes.length : FRAME);
    this.#line(BULK_STRING, bytes.length);
    if (isCopied) {
      this.#slab.set(bytes, this.#to);
      this.#to += bytes.length;
    } else {
      this.#seal();
      this.#chunks.push(bytes);
      this.#sealed += bytes.length;
    }
    this.#lineEnd();
  }

  #line(type: number, value: number): void {
    const slab = this.#slab;
    const begin = this.#to;
    let last = begin + 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) last += 1;
    slab[begin] = type;
    let digits = value;
    for (let at = last; at > begin; at--) {
      const rest = Math.floor(digits / 10);
      slab[at] = ZERO + digits - 10 * rest;
      digits = rest;
    }
    this.#to = last + 1;
    this.#lineEnd();
  }

  #lineEnd(): void {
    const end = this.#to;
    this.#slab[end] = CR;
    this.#slab[end + 1] = LF;
    this.#to = end + 2;
  }

  /** The next slab is twice as large, so that an idle connection costs little. */
  #reserve(size: number): void {
    if (this.#slab.length - this.#to >= size) return;
    this.#seal();
    if (this.#slab.length > 0) this.#slabSize = Math.min(this.#slabSize * 2, LARGEST_SLAB);
    this.#slab = this.#environment.allocateUnseen(Math.max(this.#slabSize, size));
    this.#from = 0;
    this.#to = 0;
  }

  #seal(): void {
    if (this.#from === this.#to) return;
    this.#chunks.push(this.#slab.subarray(this.#from, this.#to));
    this.#sealed += this.#to - this.#from;
    this.#from = this.#to;
  }
}

/** @returns false when it is no ASCII; what was written then means nothing. */
function writeAscii(text: string, memory: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    memory[at + i] = code;
  }
  return true;
}

/** @throws as {@link CommandWriter.write}. */
export function checkArguments(args: readonly unknown[]): void {
  if (args.length === 0) throw new ZmqError("EINVAL", "a command needs a name");
  for (let i = 0; i < args.length; i++) checkArgument(args[i]);
}

function checkArgument(argument: unknown): void {
  if (typeof argument === "string" || typeof argument === "bigint" || argument instanceof Uint8Array) return;
  if (typeof argument === "number" && Number.isFinite(argument)) return;
  const what = typeof argument === "number" ? String(argument) : typeof argument;
  throw new TypeError(
    `an argument has to be a string, a Uint8Array, a finite number or a bigint, not ${what}`,
  );
}

/** Numbers from 1e21 on are printed with an exponent, which no command takes for an integer. */
function numberText(value: number | bigint): string {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
