/**
 * Values by topic, found by every topic that is a prefix of some bytes: a radix tree, each edge with as many bytes as have
 * no fork in them. No method is recursive: a peer may subscribe to a topic of a megabyte.
 *
 * A node names the bytes on the way to it as the head of a topic that leads through it. So nothing is copied when an edge is
 * split or joined, however long it is, and what is kept are the bytes of topics that have a value, once each.
 */
export class PrefixTrie<V> {
  readonly #root = new Node<V>(EMPTY, 0);

  get(topic: Uint8Array): V | undefined {
    let node = this.#root;
    while (node.end < topic.length) {
      const child = node.children.get(topic[node.end] as number);
      if (child === undefined || !child.leadsTo(topic, node.end)) return undefined;
      node = child;
    }
    return node.value;
  }

  /** Sets the value of a topic. The bytes are kept: they must not change, nor share the memory of larger ones. */
  set(topic: Uint8Array, value: V): void {
    let node = this.#root;
    while (node.end < topic.length) {
      const child = node.children.get(topic[node.end] as number);
      if (child === undefined) {
        const leaf = new Node<V>(topic, topic.length);
        addChild(node, leaf);
        node = leaf;
      } else {
        const end = agreement(child, topic, node.end);
        node = end < child.end ? split(node, child, end) : child;
      }
    }
    if (node.value === undefined) node.topic = topic;
    node.value = value;
  }

  /** @returns whether the topic had a value. */
  delete(topic: Uint8Array): boolean {
    const above: Node<V>[] = [];
    let node = this.#root;
    while (node.end < topic.length) {
      const child = node.children.get(topic[node.end] as number);
      if (child === undefined || !child.leadsTo(topic, node.end)) return false;
      above.push(node);
      node = child;
    }
    if (node.value === undefined) return false;
    const gone = node.topic;
    node.value = undefined;
    const parent = above.at(-1);
    const grandparent = above.at(-2);
    if (parent !== undefined) tidy(parent, node);
    if (parent !== undefined && grandparent !== undefined) tidy(grandparent, parent);
    // From below: a child that is looked at has been taken off the topic already.
    takeOff(node, gone);
    for (let i = above.length - 1; i >= 0; i -= 1) takeOff(above[i] as Node<V>, gone);
    return true;
  }

  /** Adds to `found` the values of all topics that are a prefix of `bytes`, the shortest first. */
  collect(bytes: Uint8Array, found: V[]): void {
    let node: Node<V> | undefined = this.#root;
    while (node !== undefined) {
      if (node.value !== undefined) found.push(node.value);
      if (node.end >= bytes.length) return;
      const child: Node<V> | undefined = node.children.get(bytes[node.end] as number);
      if (child === undefined || !child.leadsTo(bytes, node.end)) return;
      node = child;
    }
  }

  /** Whether some topic is a prefix of `bytes`. */
  hasPrefixOf(bytes: Uint8Array): boolean {
    let node = this.#root;
    while (node.value === undefined) {
      if (node.end >= bytes.length) return false;
      const child = node.children.get(bytes[node.end] as number);
      if (child === undefined || !child.leadsTo(bytes, node.end)) return false;
      node = child;
    }
    return true;
  }
}

const EMPTY = new Uint8Array(0);
/** The children of every leaf: most nodes are leaves, and a map each would be most of the memory. Never written to. */
const LEAF = new Map<number, never>();

class Node<V> {
  /** A topic with a value, whose first `end` bytes are the way to here: this node's own, if it has a value. */
  topic: Uint8Array;
  end: number;
  value: V | undefined = undefined;
  /** By the byte that follows. */
  children: Map<number, Node<V>> = LEAF;

  constructor(topic: Uint8Array, end: number) {
    this.topic = topic;
    this.end = end;
  }

  /** Whether the way to here is a prefix of `bytes`, of which those before `from`, and the next, are known to agree. */
  leadsTo(bytes: Uint8Array, from: number): boolean {
    const { topic, end } = this;
    if (end > bytes.length) return false;
    for (let at = from + 1; at < end; at += 1) if (topic[at] !== bytes[at]) return false;
    return true;
  }
}

/** How many bytes of the way to `node` stand at the beginning of `topic`; those before `from` are known to agree. */
function agreement<V>(node: Node<V>, topic: Uint8Array, from: number): number {
  const most = Math.min(node.end, topic.length);
  let end = from;
  while (end < most && node.topic[end] === topic[end]) end += 1;
  return end;
}

/** Puts a node in the middle of an edge, where the way from the root is `end` bytes long. */
function split<V>(parent: Node<V>, child: Node<V>, end: number): Node<V> {
  const middle = new Node<V>(child.topic, end);
  addChild(parent, middle);
  addChild(middle, child);
  return middle;
}

/** Takes out a node that serves no purpose, and so joins an edge that has no fork any more. */
function tidy<V>(parent: Node<V>, node: Node<V>): void {
  if (node.value !== undefined || node.children.size > 1) return;
  const first = node.topic[parent.end] as number;
  const [child] = node.children.values();
  if (child !== undefined) parent.children.set(first, child);
  else {
    parent.children.delete(first);
    if (parent.children.size === 0) parent.children = LEAF;
  }
}

/** Names the way to a node by another topic than the one that has gone. */
function takeOff<V>(node: Node<V>, gone: Uint8Array): void {
  if (node.topic !== gone) return;
  const [child] = node.children.values();
  node.topic = child === undefined ? EMPTY : child.topic;
}

function addChild<V>(parent: Node<V>, child: Node<V>): void {
  if (parent.children === LEAF) parent.children = new Map();
  parent.children.set(child.topic[parent.end] as number, child);
}
