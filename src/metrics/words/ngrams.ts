/** N-grams as nodes of a trie over word numbers, held in one hash table of typed arrays. */

/** The node of the empty n-gram. */
export const rootNode = 0;
/** The longest n-gram that BLEU and CIDEr count. */
export const maximumOrder = 4;

const smallestTable = 256;

/**
 * A trie whose edges (prefix node, word) -> node live in an open-addressing table: counting an
 * n-gram costs one probe and no string. Nodes are numbered from 1 in the order of insertion, a
 * prefix before what extends it.
 */
export class NgramTrie {
  /** Nodes so far, the root among them. */
  size = 1;
  prefixes = new Int32Array(smallestTable / 2);
  words = new Int32Array(smallestTable / 2);
  #slots = new Int32Array(smallestTable);
  #mask = smallestTable - 1;

  /** Forgets all nodes but the root. */
  clear(): void {
    if (this.size === 1) return;
    this.size = 1;
    if (this.#slots.length <= 16 * smallestTable) this.#slots.fill(0);
    // A table grown by one huge caption is let go, so that the next ones are not slowed by clearing it.
    else this.#allocate(smallestTable / 2);
  }

  /** The node of `prefix` followed by `word`, or -1 if it was never inserted. */
  find(prefix: number, word: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    for (let slot = hash(prefix, word) & mask; ; slot = (slot + 1) & mask) {
      const node = slots[slot];
      if (node === 0) return -1;
      if (this.words[node] === word && this.prefixes[node] === prefix) return node;
    }
  }

  /** The node of `prefix` followed by `word`, inserted if it is new. */
  insert(prefix: number, word: number): number {
    if (this.size === this.words.length) this.#allocate(this.size * 2);
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash(prefix, word) & mask;
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const node = slots[slot];
      if (this.words[node] === word && this.prefixes[node] === prefix) return node;
    }
    const node = this.size++;
    this.prefixes[node] = prefix;
    this.words[node] = word;
    slots[slot] = node;
    return node;
  }

  /** Gives the table room for `room` nodes, half full, and puts the present ones into it. */
  #allocate(room: number): void {
    this.prefixes = enlarged(this.prefixes.subarray(0, this.size), room);
    this.words = enlarged(this.words.subarray(0, this.size), room);
    this.#slots = new Int32Array(room * 2);
    this.#mask = room * 2 - 1;
    for (let node = 1; node < this.size; node++) {
      let slot = hash(this.prefixes[node], this.words[node]) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = node;
    }
  }
}

function hash(prefix: number, word: number): number {
  let mixed = (Math.imul(prefix, 0x9e3779b1) + word) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

/** A copy of `array` with room for `length` elements, the new ones zero. */
export function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length);
  copy.set(array);
  return copy;
}

/**
 * Occurrences of each n-gram of one caption, in a trie that may be shared with other captions:
 * `counts[node]` is valid for the nodes in `nodes[0 .. distinct)`, zero for all others.
 */
export class NgramCounts {
  counts = new Int32Array(smallestTable);
  nodes = new Int32Array(smallestTable);
  distinct = 0;

  clear(): void {
    for (let index = 0; index < this.distinct; index++) this.counts[this.nodes[index]] = 0;
    this.distinct = 0;
  }

  /** Makes room for nodes below `size`. */
  reserve(size: number): void {
    if (size <= this.counts.length) return;
    this.counts = enlarged(this.counts, size * 2);
    this.nodes = enlarged(this.nodes, size * 2);
  }

  add(node: number): void {
    if (this.counts[node] === 0) this.nodes[this.distinct++] = node;
    this.counts[node]++;
  }
}
