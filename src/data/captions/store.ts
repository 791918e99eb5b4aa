/** Millions of texts outside the JavaScript heap: packed as UTF-8 in blocks, each found by its number. */

const blockSize = 1 << 22;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Append-only list of texts. A lone surrogate becomes U+FFFD, as in any UTF-8 file. */
export class TextStore {
  readonly #blocks: Uint8Array[] = [];
  #block = new Uint8Array(0);
  #used = 0;
  #length = 0;
  // Block and offset of each text; its length in bytes.
  #blockOf = new Int32Array(1024);
  #offsets = new Int32Array(1024);
  #sizes = new Int32Array(1024);

  /** How many texts it holds. */
  get length(): number {
    return this.#length;
  }

  /** Adds `text` and returns its number. */
  add(text: string): number {
    // A UTF-16 unit takes at most three bytes.
    if (this.#blocks.length === 0 || text.length * 3 > this.#block.length - this.#used) {
      this.#block = new Uint8Array(Math.max(blockSize, text.length * 3));
      this.#blocks.push(this.#block);
      this.#used = 0;
    }
    const { written } = encoder.encodeInto(text, this.#block.subarray(this.#used));
    if (this.#length === this.#sizes.length) this.#grow();
    const number = this.#length++;
    this.#blockOf[number] = this.#blocks.length - 1;
    this.#offsets[number] = this.#used;
    this.#sizes[number] = written;
    this.#used += written;
    return number;
  }

  /** The UTF-8 bytes of text `number`: a view, not a copy. */
  bytes(number: number): Uint8Array {
    if (number >= this.#length) throw new RangeError(`no text ${number}`);
    const offset = this.#offsets[number];
    return this.#blocks[this.#blockOf[number]].subarray(offset, offset + this.#sizes[number]);
  }

  /** Text `number`. */
  get(number: number): string {
    return decoder.decode(this.bytes(number));
  }

  #grow(): void {
    const larger = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(old.length * 2);
      grown.set(old);
      return grown;
    };
    this.#blockOf = larger(this.#blockOf);
    this.#offsets = larger(this.#offsets);
    this.#sizes = larger(this.#sizes);
  }
}
