/** What a client sends is always an array of bulk strings, in RESP2 and RESP3: the command's name and its arguments. */
import { ZmqError } from "../errors.ts";
import type { Environment } from "../runtime/environment.ts";

/** Numbers are sent as decimal text, whole ones without an exponent; strings as UTF-8. */
export type Argument = string | Uint8Array | number | bigint;

/** What a {@link CommandWriter} needs of its runtime. */
export type WriterEnvironment = Pick<Environment, "allocateUnseen" | "encodeText">;

const ARRAY = 0x2a; // *
const BULK_STRING = 0x24; // $
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

/** Longer arguments are passed on by reference. */
const COPY_LIMIT = 4096;
/** Type, up to 16 digits, and two line ends. */
const FRAME = 21;
/** Up to here text is encoded by hand, when it is ASCII. */
const SHORT_TEXT = 32;

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
};

/**
 * Commands on their way to the server, in order.
 *
 * Short arguments are joined in a slab of memory, those of more than 4 KiB are passed on by reference: their bytes must not be
 * changed until they are sent. What was handed out is never written to again: the next bytes go behind it in the same slab.
 */
export class CommandWriter {
  readonly #environment: WriterEnvironment;
  #size = 0;
  #chunks: Uint8Array[] = [];
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
    return this.#size;
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
    const before = this.#size;
    this.#reserve(FRAME);
    this.#line(ARRAY, args.length);
    for (let i = 0; i < args.length; i++) {
      const argument = args[i] as Argument;
      if (typeof argument === "string") this.#text(argument);
      else if (typeof argument === "object") this.#bytes(argument);
      else this.#text(numberText(argument));
    }
    return this.#size - before;
  }

  /** Hands out everything that waits. The chunks are the caller's; none is written to again. */
  take(): Uint8Array[] {
    this.#seal();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#size = 0;
    return chunks;
  }

  #text(text: string): void {
    if (text.length > SHORT_TEXT) {
      this.#bytes(this.#environment.encodeText(text));
      return;
    }
    this.#reserve(FRAME + text.length);
    const begin = this.#to;
    const size = this.#size;
    this.#line(BULK_STRING, text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#to = begin;
        this.#size = size;
        this.#bytes(this.#environment.encodeText(text));
        return;
      }
      this.#slab[this.#to + i] = code;
    }
    this.#advance(text.length);
    this.#lineEnd();
  }

  #bytes(bytes: Uint8Array): void {
    const isCopied = bytes.length <= COPY_LIMIT;
    this.#reserve(isCopied ? FRAME + bytes.length : FRAME);
    this.#line(BULK_STRING, bytes.length);
    if (isCopied) {
      this.#slab.set(bytes, this.#to);
      this.#advance(bytes.length);
    } else {
      this.#seal();
      this.#chunks.push(bytes);
      this.#size += bytes.length;
    }
    this.#lineEnd();
  }

  #line(type: number, value: number): void {
    const slab = this.#slab;
    const begin = this.#to;
    slab[begin] = type;
    let end = begin + 2;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
    let digits = value;
    for (let at = end - 1; at > begin; at--) {
      slab[at] = ZERO + (digits % 10);
      digits = Math.floor(digits / 10);
    }
    this.#advance(end - begin);
    this.#lineEnd();
  }

  #lineEnd(): void {
    this.#slab[this.#to] = CR;
    this.#slab[this.#to + 1] = LF;
    this.#advance(2);
  }

  #advance(size: number): void {
    this.#to += size;
    this.#size += size;
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
    this.#from = this.#to;
  }
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
