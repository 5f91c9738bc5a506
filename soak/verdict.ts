import { type Entry, merged } from "./book.ts";
import type { Life } from "./life.ts";
import type { Slot } from "./slot.ts";

/** One line of the summary. */
export interface Row {
  stream: string;
  lives: number;
  received: number;
  missing: number;
  dropped: number;
  /** Ends of connections, each of which may have cost a row of messages. */
  ends: number;
}

export interface Verdict {
  rows: Row[];
  /** What does not add up. */
  wrong: string[];
}

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const holes = (ranges: readonly [number, number][], from: number): number =>
  Math.max(0, ranges.length - 1) + (ranges.length > 0 && ranges[0]![0] > from ? 1 : 0);
const missing = (ranges: readonly [number, number][]): number =>
  ranges.length === 0 ? 0 : ranges.at(-1)![1] - ranges[0]![0] + 1 - sum(ranges.map(([a, b]) => b - a + 1));

class Judge {
  readonly rows: Row[] = [];
  readonly wrong: string[] = [];

  expect(holds: boolean, what: string): void {
    if (!holds) this.wrong.push(what);
  }

  /** What holds for every receiver: nothing twice, and order, but for two connections side by side at a listener. */
  entry(what: string, entry: Entry, mayMix: boolean): void {
    this.expect(entry.repeated === 0, `${what}: ${entry.repeated} came twice`);
    this.expect(mayMix || entry.disorder === 0, `${what}: ${entry.disorder} out of order`);
  }
}

/** Adds up what all have reported. Each slot's last life was closed, everything sent before having had time to arrive. */
export function judge(hub: Life, slots: readonly Slot[]): Verdict {
  const verdict = new Judge();
  for (const life of [hub, ...slots.flatMap(({ lives }) => lives)]) {
    for (const what of life.report?.wrong ?? []) verdict.wrong.push(`${life.name}: ${what}`);
    const { stderr } = life.child;
    verdict.expect(life.end !== "closed" || stderr === "", `${life.name} wrote: ${stderr}`);
  }
  for (const slot of slots) {
    if (slot.name.startsWith("push")) toHub(verdict, hub, slot, 0);
    else if (slot.name.startsWith("pub")) toHub(verdict, hub, slot, Number.POSITIVE_INFINITY);
    else if (slot.name.startsWith("sub")) subscribers(verdict, hub, slot);
    else pullers(verdict, hub, slot);
  }
  return verdict;
}

/** From lives that push to the hub, or publish what it subscribes to. @param first the number that has to come first. */
function toHub(verdict: Judge, hub: Life, slot: Slot, first: number): void {
  const row: Row = {
    stream: `${slot.name} -> hub`,
    lives: slot.lives.length,
    received: 0,
    missing: 0,
    dropped: 0,
    ends: 0,
  };
  for (const life of slot.lives) {
    const entry = hub.report!.received[life.name] ?? { count: 0, repeated: 0, disorder: 0, ranges: [] };
    const dropped = sum(Object.values(life.report?.dropped ?? {}));
    verdict.entry(life.name, entry, life.resets > 0);
    const lost = holes(entry.ranges, first);
    verdict.expect(
      lost <= life.resets + dropped,
      `${life.name}: ${lost} gaps, ${life.resets} resets, ${dropped} drops`,
    );
    const sent = life.report?.sent[life.name] ?? 0;
    const last = entry.ranges.at(-1)?.[1] ?? -1;
    // Lingering has brought over what was left; a reset just before may have cost it, a subscription not yet in force too.
    if (life.end === "closed" && life.resets === 0 && first === 0)
      verdict.expect(last === sent - 1, `${life.name}: ${sent} sent, the last that came is ${last}`);
    row.received += entry.count;
    row.missing += missing(entry.ranges);
    row.dropped += dropped;
    row.ends += life.resets + 1;
  }
  verdict.expect(row.received > 0, `${row.stream}: nothing came`);
  verdict.rows.push(row);
}

/** From the hub's PUB. */
function subscribers(verdict: Judge, hub: Life, slot: Slot): void {
  const sent = hub.report!.sent;
  const senders = Object.keys(sent).filter((name) => name.startsWith("hub-pub"));
  const dropped = sum(
    Object.entries(hub.report!.dropped).map(([address, n]) =>
      address.startsWith(slot.name.split("-")[1]!) ? n : 0,
    ),
  );
  const row: Row = {
    stream: `hub -> ${slot.name}`,
    lives: slot.lives.length,
    received: 0,
    missing: 0,
    dropped,
    ends: 0,
  };
  let quiet = 0; // messages missing where no connection had ended
  for (const life of slot.lives) {
    for (const sender of senders) {
      const entry = life.report?.received[sender];
      if (entry === undefined) continue;
      verdict.entry(`${life.name} of ${sender}`, entry, false);
      const lost = holes(entry.ranges, Number.POSITIVE_INFINITY);
      verdict.expect(
        lost <= life.resets + dropped,
        `${life.name} of ${sender}: ${lost} gaps, ${life.resets} resets, ${dropped} drops`,
      );
      if (life.resets === 0) quiet += missing(entry.ranges);
      row.received += entry.count;
      row.missing += missing(entry.ranges);
      if (life === slot.current) {
        const last = entry.ranges.at(-1)![1];
        verdict.expect(
          last === sent[sender]! - 1,
          `${life.name}: ${sent[sender]} of ${sender} sent, the last that came is ${last}`,
        );
      }
    }
    row.ends += life.resets + 1;
  }
  verdict.expect(quiet <= dropped, `${row.stream}: ${quiet} missing without an end, ${dropped} dropped`);
  verdict.expect(row.received > 0, `${row.stream}: nothing came`);
  verdict.rows.push(row);
}

/** From the PUSH by which the hub dials one life after the other: what one has had, no other has. */
function pullers(verdict: Judge, hub: Life, slot: Slot): void {
  const sender = `hub-${slot.name}`;
  const sent = hub.report!.sent[sender] ?? 0;
  const row: Row = {
    stream: `hub -> ${slot.name}`,
    lives: slot.lives.length,
    received: 0,
    missing: 0,
    dropped: 0,
    ends: slot.lives.length,
  };
  const all: [number, number][] = [];
  for (const life of slot.lives) {
    const entry = life.report?.received[sender];
    if (entry === undefined) continue;
    verdict.entry(life.name, entry, false);
    all.push(...entry.ranges);
    row.received += entry.count;
  }
  try {
    const ranges = merged(all);
    const lost = holes(ranges, 0);
    row.missing = missing(ranges);
    verdict.expect(lost <= row.ends, `${row.stream}: ${lost} gaps, ${row.ends} ends`);
    verdict.expect(
      (ranges.at(-1)?.[1] ?? -1) === sent - 1,
      `${row.stream}: ${sent} sent, the last that came is ${ranges.at(-1)?.[1]}`,
    );
  } catch (error) {
    verdict.wrong.push(`${row.stream}: ${String(error)}`);
  }
  verdict.rows.push(row);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** MiB by which the second quarter of a life and its last one differ. */
export function growth(life: Life): { heap: number; rss: number } {
  const quarter = life.memory.length >> 2;
  const of = (name: "heap" | "rss"): number =>
    median(life.memory.slice(-quarter).map((m) => m[name])) -
    median(life.memory.slice(quarter, 2 * quarter).map((m) => m[name]));
  return { heap: of("heap"), rss: of("rss") };
}
