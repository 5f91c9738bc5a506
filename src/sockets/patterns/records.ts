/** Records in a page: so many are allocated, and freed again, at once. */
const PAGE = 4096;
const SHIFT = 12;
/** Of the first page as long as there is no other. */
const FEWEST = 8;

/**
 * Many small records of the same shape: so many whole numbers of 32 bits each, and a text where one is set. A record is known by
 * a number from 1 on, so that 0 can stand for none; its fields are 0 at first, and the first of them must never be negative.
 *
 * A million objects cost the heap some hundred bytes each, and the collector its time. These lie in pages: growing copies no more
 * than one page, and a page without records is let go, so that a great number that has gone leaves nothing behind.
 */
export class Records {
  readonly #fields: number;
  readonly #pages: (Int32Array | null)[] = [];
  readonly #texts: (string | undefined)[][] = [];
  /** For each page, how many of its records are used, and the first that is not; those are linked by `~next` in the first field. */
  readonly #used: number[] = [];
  readonly #free: number[] = [];
  /** The pages that are not full. */
  readonly #roomy: number[] = [];
  /** One without records, so that coming and going at a page's end costs nothing. */
  #spare: Int32Array | null = null;

  constructor(fields: number) {
    this.#fields = fields;
  }

  get(id: number, field: number): number {
    return (this.#pages[id >>> SHIFT] as Int32Array)[(id & (PAGE - 1)) * this.#fields + field] as number;
  }

  set(id: number, field: number, value: number): void {
    (this.#pages[id >>> SHIFT] as Int32Array)[(id & (PAGE - 1)) * this.#fields + field] = value;
  }

  /** Only of a record that has one. */
  text(id: number): string {
    return (this.#texts[id >>> SHIFT] as string[])[id & (PAGE - 1)] as string;
  }

  setText(id: number, text: string): void {
    (this.#texts[id >>> SHIFT] as string[])[id & (PAGE - 1)] = text;
  }

  add(): number {
    if (this.#roomy.length === 0) this.#extend();
    const n = this.#roomy[this.#roomy.length - 1] as number;
    if (this.#pages[n] === null) this.#open(n, this.#pages.length === 1 ? FEWEST : PAGE);
    const id = this.#free[n] as number;
    const next = ~this.get(id, 0);
    this.set(id, 0, 0);
    this.#free[n] = next;
    this.#used[n] = (this.#used[n] as number) + 1;
    if (next === 0) this.#roomy.pop();
    return id;
  }

  remove(id: number): void {
    const n = id >>> SHIFT;
    const next = this.#free[n] as number;
    for (let field = 1; field < this.#fields; field += 1) this.set(id, field, 0);
    this.set(id, 0, ~next);
    const texts = this.#texts[n] as (string | undefined)[];
    if (texts.length > 0) texts[id & (PAGE - 1)] = undefined;
    if (next === 0) this.#roomy.push(n);
    this.#free[n] = id;
    const used = (this.#used[n] as number) - 1;
    this.#used[n] = used;
    if (used === 0) this.#close(n);
  }

  /** The first record after this one, in the order of their numbers; 0: there is none. */
  after(id: number): number {
    for (let next = id + 1; next >>> SHIFT < this.#pages.length; next += 1) {
      const page = this.#pages[next >>> SHIFT] as Int32Array | null;
      const at = (next & (PAGE - 1)) * this.#fields;
      if (page === null || at >= page.length) next |= PAGE - 1;
      else if ((page[at] as number) >= 0) return next;
    }
    return 0;
  }

  #extend(): void {
    const first = this.#pages[0];
    if (first !== undefined && first !== null && first.length < PAGE * this.#fields) {
      const had = first.length / this.#fields;
      const page = new Int32Array(first.length * 2);
      page.set(first);
      this.#pages[0] = page;
      this.#link(0, had);
    } else {
      const n = this.#pages.push(null) - 1;
      this.#texts.push([]);
      this.#used.push(0);
      this.#free.push(0);
      this.#open(n, n === 0 ? FEWEST : PAGE);
    }
    this.#roomy.push(this.#free.length - 1);
  }

  #open(n: number, records: number): void {
    const spare = records === PAGE ? this.#spare : null;
    this.#pages[n] = spare ?? new Int32Array(records * this.#fields);
    if (spare !== null) this.#spare = null;
    this.#link(n, n === 0 ? 1 : 0);
  }

  /** Makes a row of free records of those from one on to the end of the page. */
  #link(n: number, from: number): void {
    const page = this.#pages[n] as Int32Array;
    const count = page.length / this.#fields;
    for (let i = from; i < count; i += 1) {
      page[i * this.#fields] = ~(i + 1 < count ? n * PAGE + i + 1 : 0);
    }
    this.#free[n] = n * PAGE + from;
  }

  #close(n: number): void {
    const page = this.#pages[n] as Int32Array;
    if (page.length === PAGE * this.#fields) this.#spare = page;
    this.#pages[n] = null;
    this.#texts[n] = [];
  }
}
