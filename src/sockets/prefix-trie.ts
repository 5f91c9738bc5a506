/**
 * Values by topic, found by every topic that is a prefix of some bytes: a radix tree, each edge with as many bytes as have
 * no fork in them. No method is recursive: a peer may subscribe to a topic of a megabyte.
 */
export class PrefixTrie<V> {
  readonly #root = new Node<V>(EMPTY);
  #size = 0;

  /** How many topics have a value. */
  get size(): number {
    return this.#size;
  }

  get(topic: Uint8Array): V | undefined {
    let node = this.#root;
    for (let at = 0; at < topic.length; ) {
      const child = node.children.get(topic[at] as number);
      if (child === undefined || commonLength(child.label, topic, at) < child.label.length) return undefined;
      at += child.label.length;
      node = child;
    }
    return node.value;
  }

  /** Sets the value of a topic. The topic is copied. */
  set(topic: Uint8Array, value: V): void {
    let node = this.#root;
    for (let at = 0; at < topic.length; ) {
      const first = topic[at] as number;
      let child = node.children.get(first);
      if (child === undefined) {
        child = new Node<V>(copy(topic, at));
        addChild(node, child);
      } else {
        const common = commonLength(child.label, topic, at);
        if (common < child.label.length) child = split(node, child, common);
      }
      at += child.label.length;
      node = child;
    }
    if (node.value === undefined) this.#size += 1;
    node.value = value;
  }

  /** @returns whether the topic had a value. */
  delete(topic: Uint8Array): boolean {
    let parent: Node<V> | null = null;
    let grandparent: Node<V> | null = null;
    let node = this.#root;
    for (let at = 0; at < topic.length; ) {
      const child = node.children.get(topic[at] as number);
      if (child === undefined || commonLength(child.label, topic, at) < child.label.length) return false;
      at += child.label.length;
      grandparent = parent;
      parent = node;
      node = child;
    }
    if (node.value === undefined) return false;
    node.value = undefined;
    this.#size -= 1;
    if (parent !== null) tidy(parent, node);
    if (parent !== null && grandparent !== null) tidy(grandparent, parent);
    return true;
  }

  /** Adds to `found` the values of all topics that are a prefix of `bytes`, the shortest first. */
  collect(bytes: Uint8Array, found: V[]): void {
    let node: Node<V> | undefined = this.#root;
    for (let at = 0; node !== undefined; ) {
      if (node.value !== undefined) found.push(node.value);
      if (at >= bytes.length) return;
      const child: Node<V> | undefined = node.children.get(bytes[at] as number);
      if (child === undefined || commonLength(child.label, bytes, at) < child.label.length) return;
      at += child.label.length;
      node = child;
    }
  }

  /** Whether some topic is a prefix of `bytes`. */
  hasPrefixOf(bytes: Uint8Array): boolean {
    let node = this.#root;
    for (let at = 0; node.value === undefined; ) {
      if (at >= bytes.length) return false;
      const child = node.children.get(bytes[at] as number);
      if (child === undefined || commonLength(child.label, bytes, at) < child.label.length) return false;
      at += child.label.length;
      node = child;
    }
    return true;
  }
}

const EMPTY = new Uint8Array(0);
/** The children of every leaf: most nodes are leaves, and a map each would be most of the memory. Never written to. */
const LEAF = new Map<number, never>();

class Node<V> {
  /** The bytes on the edge to this node; empty for the root only. */
  label: Uint8Array;
  value: V | undefined = undefined;
  /** By the first byte of their labels. */
  children: Map<number, Node<V>> = LEAF;

  constructor(label: Uint8Array) {
    this.label = label;
  }
}

/** How many bytes of `label` stand in `bytes` from `at` on. */
function commonLength(label: Uint8Array, bytes: Uint8Array, at: number): number {
  const end = Math.min(label.length, bytes.length - at);
  let length = 0;
  while (length < end && label[length] === bytes[at + length]) length += 1;
  return length;
}

/** Puts a node in the middle of an edge, after `length` bytes. */
function split<V>(parent: Node<V>, child: Node<V>, length: number): Node<V> {
  const middle = new Node<V>(copy(child.label, 0, length));
  child.label = copy(child.label, length);
  addChild(middle, child);
  addChild(parent, middle);
  return middle;
}

/** Takes out a node that serves no purpose, and joins an edge that has no fork any more. */
function tidy<V>(parent: Node<V>, node: Node<V>): void {
  if (node.value !== undefined || node.children.size > 1) return;
  const first = node.label[0] as number;
  if (node.children.size === 0) {
    parent.children.delete(first);
    if (parent.children.size === 0) parent.children = LEAF;
    return;
  }
  const [child] = node.children.values() as unknown as [Node<V>];
  const label = new Uint8Array(node.label.length + child.label.length);
  label.set(node.label);
  label.set(child.label, node.label.length);
  child.label = label;
  addChild(parent, child);
}

function addChild<V>(parent: Node<V>, child: Node<V>): void {
  if (parent.children === LEAF) parent.children = new Map();
  parent.children.set(child.label[0] as number, child);
}

/** A Buffer's own `slice` would be a view and pin the chunk that the topic came in. */
function copy(bytes: Uint8Array, from: number, to?: number): Uint8Array {
  return new Uint8Array(bytes.subarray(from, to));
}
