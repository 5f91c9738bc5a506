import { bytesOf } from "./bytes.ts";
import { encodeBulks, header } from "./encoding.ts";

const OK = bytesOf("+OK\r\n");
const NULL_BULK = bytesOf("$-1\r\n");
const NULL = bytesOf("_\r\n");
const NO_HEAD = new Uint8Array(0);
/** The replies `:0` to `:9`, which are most of those to PUBLISH. */
const DIGITS: readonly Uint8Array[] = Array.from({ length: 10 }, (_, digit) => header(":", digit));

/** Writes replies in the protocol now in force: RESP3's own types are maps, sets, pushes, nulls and verbatim strings. */
export class Replies {
  protocol: 2 | 3 = 2;
  readonly #allocate: (size: number) => Uint8Array;
  readonly #add: (chunk: Uint8Array) => void;

  /** @param add takes the bytes, in order; they do not change any more. */
  constructor(allocate: (size: number) => Uint8Array, add: (chunk: Uint8Array) => void) {
    this.#allocate = allocate;
    this.#add = add;
  }

  ok(): void {
    this.#add(OK);
  }

  simple(text: string): void {
    this.#add(bytesOf(`+${text}\r\n`));
  }

  /** @param text begins with the code: `ERR no such key`. One character per byte; line ends become blanks. */
  error(text: string): void {
    this.#add(bytesOf(`-${text.replace(/[\r\n]/g, " ")}\r\n`));
  }

  integer(value: number | bigint): void {
    this.#add(DIGITS[value as number] ?? header(":", value));
  }

  null(): void {
    this.#add(this.protocol === 3 ? NULL : NULL_BULK);
  }

  bulk(bytes: Uint8Array): void {
    for (const chunk of encodeBulks(this.#allocate, NO_HEAD, [bytes])) this.#add(chunk);
  }

  /** A bulk string of text with one character per byte. */
  text(text: string): void {
    this.#add(bytesOf(`$${text.length}\r\n${text}\r\n`));
  }

  /** Text for people. */
  verbatim(text: string): void {
    if (this.protocol === 3) this.#add(bytesOf(`=${text.length + 4}\r\ntxt:${text}\r\n`));
    else this.text(text);
  }

  /** So many replies follow. */
  array(count: number): void {
    this.#add(header("*", count));
  }

  /** So many replies follow, in no order. */
  set(count: number): void {
    this.#add(header(this.protocol === 3 ? "~" : "*", count));
  }

  /** So many pairs of replies follow. */
  map(count: number): void {
    this.#add(this.protocol === 3 ? header("%", count) : header("*", 2 * count));
  }

  /** So many replies follow, which answer no command. */
  push(count: number): void {
    this.#add(header(this.protocol === 3 ? ">" : "*", count));
  }
}
