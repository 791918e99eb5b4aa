/** Splitting captions into words, and numbering the words so that counting works on integers. */

/** Whether Python's `str.split()` splits at a character. */
function isSpace(code: number): boolean {
  if (code > 0x20 && code < 0x85) return false;
  if (code <= 0x20) {
    return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  }
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/**
 * The words between runs of white space, as Python's `str.split()` gives them: a no-break space
 * inside a token of the PTB tokenizer ("1 1/2") ends a word too.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  for (let index = 0; index < text.length; index++) {
    if (isSpace(text.charCodeAt(index))) {
      if (start >= 0) words.push(text.slice(start, index));
      start = -1;
    } else if (start < 0) start = index;
  }
  if (start >= 0) words.push(text.slice(start));
  return words;
}

/** `text` without white space at its end, as Python's `str.rstrip()` gives it. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * Numbers words 0, 1, 2, ... in the order of their first appearance. Words are looked up where they
 * stand in a text, so that a known one costs no string of its own.
 */
export class WordNumbers {
  readonly #words: string[] = [];
  #hashes = new Int32Array(512);
  /** Open addressing: the number of a word plus 1, or 0. At most half full. */
  #slots = new Int32Array(1024);

  get size(): number {
    return this.#words.length;
  }

  /** All words, in the order of their numbers. */
  words(): readonly string[] {
    return this.#words;
  }

  /** The number of the word `text.slice(start, end)`, a new one if it has none yet. */
  id(text: string, start = 0, end = text.length): number {
    const hash = hashOf(text, start, end);
    const slot = this.#slot(text, start, end, hash);
    const known = this.#slots[slot] - 1;
    if (known >= 0) return known;
    const id = this.#words.push(text.slice(start, end)) - 1;
    this.#hashes[id] = hash;
    this.#slots[slot] = id + 1;
    if (id + 1 === this.#hashes.length) this.#grow();
    return id;
  }

  /** The number of `word`, or -1 if it has none. */
  find(word: string): number {
    return this.#slots[this.#slot(word, 0, word.length, hashOf(word, 0, word.length))] - 1;
  }

  /** The numbers of the words that `splitWords()` finds. */
  encode(text: string): number[] {
    const ids: number[] = [];
    let start = -1;
    for (let index = 0; index < text.length; index++) {
      if (isSpace(text.charCodeAt(index))) {
        if (start >= 0) ids.push(this.id(text, start, index));
        start = -1;
      } else if (start < 0) start = index;
    }
    if (start >= 0) ids.push(this.id(text, start));
    return ids;
  }

  /** The numbers of the parts between single spaces, empty ones among them, as of `text.split(' ')`. */
  encodeParts(text: string): number[] {
    const ids: number[] = [];
    for (let start = 0; ; ) {
      const end = text.indexOf(' ', start);
      if (end < 0) {
        ids.push(this.id(text, start));
        return ids;
      }
      ids.push(this.id(text, start, end));
      start = end + 1;
    }
  }

  /** Where a word is or belongs. */
  #slot(text: string, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot] - 1;
      if (id < 0) return slot;
      if (this.#hashes[id] === hash && isWordAt(this.#words[id], text, start, end)) return slot;
    }
  }

  #grow(): void {
    const hashes = this.#hashes;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#hashes.set(hashes);
    this.#slots = new Int32Array(hashes.length * 4);
    const mask = this.#slots.length - 1;
    for (const [id, hash] of hashes.entries()) {
      let slot = hash & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id + 1;
    }
  }
}

function hashOf(text: string, start: number, end: number): number {
  let hash = end - start;
  for (let index = start; index < end; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}

function isWordAt(word: string, text: string, start: number, end: number): boolean {
  if (word.length !== end - start) return false;
  for (let index = 0; index < word.length; index++) {
    if (word.charCodeAt(index) !== text.charCodeAt(start + index)) return false;
  }
  return true;
}
