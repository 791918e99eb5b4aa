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

/** Numbers words 0, 1, 2, ... in the order of their first appearance. */
export class Vocabulary {
  readonly #ids = new Map<string, number>();

  get size(): number {
    return this.#ids.size;
  }

  /** All words, in the order of their numbers. */
  words(): string[] {
    return [...this.#ids.keys()];
  }

  /** The number of `word`, a new one if it has none yet. */
  id(word: string): number {
    const known = this.#ids.get(word);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(word, id);
    return id;
  }

  /** The number of `word`, or -1 if it has none. */
  find(word: string): number {
    return this.#ids.get(word) ?? -1;
  }

  /** The numbers of several words. */
  encode(words: readonly string[]): Int32Array {
    const ids = new Int32Array(words.length);
    for (let index = 0; index < ids.length; index++) ids[index] = this.id(words[index]);
    return ids;
  }
}
