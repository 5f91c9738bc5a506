import { PrefixTrie } from "../../src/sockets/patterns/prefix-trie.ts";
import { suite } from "./suite.ts";

const encoder = new TextEncoder();

/** Topics as Dragonflow has them: ids with much in common at the front and nothing at the end. */
function topicsOf(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => encoder.encode(`tenant-${(i * 2654435761) % 2 ** 32}`));
}

function filled(topics: readonly Uint8Array[]): PrefixTrie {
  const trie = new PrefixTrie(1);
  for (const topic of topics) trie.add(topic);
  return trie;
}

const LOOKUPS = 1000;

function match(count: number, suffix: string): () => void {
  const topics = topicsOf(count);
  const trie = filled(topics);
  const step = Math.max(1, Math.floor(count / LOOKUPS));
  const asked = Array.from({ length: LOOKUPS }, (_, i) => {
    const topic = topics[(i * step) % count]!;
    return encoder.encode(suffix + new TextDecoder().decode(topic) + suffix);
  });
  const expected = suffix === "" ? LOOKUPS : 0;
  return () => {
    let found = 0;
    for (const bytes of asked) if (trie.hasPrefixOf(bytes)) found += 1;
    if (found !== expected) throw new Error(`${found} matches`);
  };
}

export async function run(): Promise<void> {
  const cases: Record<string, () => () => void> = {};
  for (const count of [1, 1000, 100_000, 1_000_000]) {
    cases[`${count} topics, a match`] = () => match(count, "");
    cases[`${count} topics, none`] = () => match(count, "x");
  }
  await suite("PrefixTrie.hasPrefixOf, per look-up", LOOKUPS, cases);
  const topics = topicsOf(10_000);
  await suite("PrefixTrie.add into an empty trie, per topic of 10000", topics.length, {
    add: () => () => void filled(topics),
  });
}
