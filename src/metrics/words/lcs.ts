/** The length of the longest common subsequence, by the bit-vector method of Hyyrö (2004). */

/** Finds LCS lengths; keeps its tables between calls. Not to be shared by threads. */
export class SubsequenceLength {
  /** For each word, the row of `#places` that marks where the first sequence has it, plus 1. */
  #rows = new Int32Array(256);
  #places = new Int32Array(64);
  #open = new Int32Array(2);
  #first: readonly number[] = [];
  #blocks = 0;

  /** Sets the sequence that the following calls of `with()` compare against; words are numbers from 0. */
  compare(first: readonly number[]): void {
    for (const word of this.#first) this.#rows[word] = 0;
    this.#first = first;
    this.#blocks = (first.length + 31) >>> 5;
    let rows = 0;
    for (let index = 0; index < first.length; index++) {
      const word = first[index];
      if (word >= this.#rows.length) this.#rows = grown(this.#rows, word + 1);
      if (this.#rows[word] === 0) {
        this.#rows[word] = ++rows;
        const end = rows * this.#blocks;
        if (end > this.#places.length) this.#places = grown(this.#places, end);
        this.#places.fill(0, end - this.#blocks, end);
      }
      this.#places[(this.#rows[word] - 1) * this.#blocks + (index >>> 5)] |= 1 << (index & 31);
    }
    if (this.#open.length < this.#blocks) this.#open = new Int32Array(this.#blocks);
  }

  /** The length of the longest common subsequence of `second` and the sequence given to `compare()`. */
  with(second: readonly number[]): number {
    const blocks = this.#blocks;
    const open = this.#open;
    open.fill(-1, 0, blocks);
    for (const word of second) {
      const row = (word < this.#rows.length ? this.#rows[word] : 0) - 1;
      if (row < 0) continue;
      let carry = 0;
      for (let block = 0; block < blocks; block++) {
        const free = open[block];
        const hit = free & this.#places[row * blocks + block];
        const sum = (free >>> 0) + (hit >>> 0) + carry;
        carry = sum > 0xffffffff ? 1 : 0;
        open[block] = sum | 0 | (free & ~hit);
      }
    }
    let length = 0;
    for (let index = 0; index < this.#first.length; index++) {
      length += 1 - ((open[index >>> 5] >>> (index & 31)) & 1);
    }
    return length;
  }
}

function grown(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(length * 2);
  copy.set(array);
  return copy;
}
