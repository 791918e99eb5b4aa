/** Words of captions, as they are counted and compared. */

/** In lower case, without punctuation. */
export function plainWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

/** Whether a caption says the same twice: a word twice in a row, or two words that come again. */
export function repeatsItself(text: string): boolean {
  const words = plainWords(text);
  const pairs = new Set<string>();
  for (let i = 1; i < words.length; i++) {
    if (words[i] === words[i - 1]) return true;
    const pair = `${words[i - 1]} ${words[i]}`;
    // Of two pairs that overlap both are the same word.
    if (pairs.has(pair)) return true;
    pairs.add(pair);
  }
  return false;
}

/** Words to be put in, taken out or replaced to make one list of the other (Levenshtein). */
export function editDistance(from: readonly string[], to: readonly string[]): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, word] of from.entries()) {
    const next = [i + 1];
    for (const [j, other] of to.entries())
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (word === other ? 0 : 1)));
    row = next;
  }
  return row[to.length];
}
