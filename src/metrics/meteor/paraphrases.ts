/** METEOR's paraphrase tables: reading them, and finding paraphrases between two texts. */
import type { Lexicon } from './lexicon.ts';
import type { ParaphraseMatcher } from './matches.ts';

/** Pairs of phrases, packed: words are numbered, a phrase is a run of word numbers. */
export interface ParaphraseTable {
  /** Number of pairs. */
  readonly size: number;
  readonly words: ReadonlyMap<string, number>;
  /** Words of all phrases, one after the other; `starts[p] .. starts[p + 1]` is phrase p. */
  readonly phraseWords: Int32Array;
  readonly starts: Int32Array;
  /** Phrases by hash of their words (open addressing): phrase + 1, 0 where free. */
  readonly slots: Int32Array;
  /** The first pair of a phrase (or -1); the next pair with the same phrase (or -1) and the paraphrase of a pair. */
  readonly first: Int32Array;
  readonly following: Int32Array;
  readonly paraphrase: Int32Array;
  /** Longest phrase, in words. */
  readonly longest: number;
}

/** Numbers in an array that grows. */
class Column {
  values = new Int32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  done(): Int32Array {
    return this.values.slice(0, this.length);
  }
}

const hashStep = (hash: number, word: number) => Math.imul(hash ^ word, 0x9e3779b1) ^ (hash >>> 15);

/** Builds a table from lines, so that a table of gigabytes need not be one string. */
export class ParaphraseTableBuilder {
  private readonly words = new Map<string, number>();
  private readonly phraseWords = new Column();
  private readonly starts = new Column();
  private readonly first = new Column();
  private readonly last = new Column();
  private readonly following = new Column();
  private readonly paraphrase = new Column();
  private slots = new Int32Array(4096);
  private longest = 0;
  private line = 0;
  private reference = '';

  constructor() {
    this.starts.push(0);
  }

  /**
   * Takes the next line: probability, phrase of the reference, paraphrase, and again.
   * @throws Error naming the line where a probability was expected.
   */
  add(line: string): void {
    const kind = this.line++ % 3;
    if (kind === 1) this.reference = line;
    else if (kind === 2) this.addPair(this.phrase(this.reference), this.phrase(line));
    else if (!(line.trim() !== '' && Number.isFinite(Number(line))))
      throw new Error(
        `line ${this.line}: "${line.slice(0, 40)}" is not a probability; a METEOR paraphrase table repeats ` +
          'three lines: probability, phrase, paraphrase.',
      );
  }

  /**
   * The table of all lines so far.
   * @throws Error if the last entry lacks a line.
   */
  done(): ParaphraseTable {
    if (this.line % 3 !== 0)
      throw new Error(
        `the table ends after line ${this.line}, within an entry; each entry has three lines: probability, phrase, paraphrase.`,
      );
    return {
      size: this.paraphrase.length,
      words: this.words,
      phraseWords: this.phraseWords.done(),
      starts: this.starts.done(),
      slots: this.slots,
      first: this.first.done(),
      following: this.following.done(),
      paraphrase: this.paraphrase.done(),
      longest: this.longest,
    };
  }

  private addPair(reference: number, paraphrase: number): void {
    const pair = this.paraphrase.length;
    this.paraphrase.push(paraphrase);
    this.following.push(-1);
    const last = this.last.values[reference] ?? -1;
    if (last === -1) this.first.values[reference] = pair;
    else this.following.values[last] = pair;
    this.last.values[reference] = pair;
  }

  private phrase(text: string): number {
    const start = this.phraseWords.length;
    let hash = 0;
    for (const word of text.split(/[ \t\n\r\f]+/)) {
      if (word === '') continue;
      let id = this.words.get(word);
      if (id === undefined) {
        id = this.words.size;
        this.words.set(word, id);
      }
      this.phraseWords.push(id);
      hash = hashStep(hash, id);
    }
    const length = this.phraseWords.length - start;
    const known = findPhrase(this.lookup(), this.phraseWords.values, start, length, hash);
    if (known >= 0) {
      this.phraseWords.length = start;
      return known;
    }
    this.longest = Math.max(this.longest, length);
    const phrase = this.starts.length - 1;
    this.starts.push(this.phraseWords.length);
    this.first.push(-1);
    this.last.push(-1);
    this.insert(phrase, hash);
    return phrase;
  }

  private insert(phrase: number, hash: number): void {
    if (2 * this.starts.length > this.slots.length) this.rehash();
    const mask = this.slots.length - 1;
    let at = hash & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = phrase + 1;
  }

  private rehash(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    for (let phrase = 0; phrase < this.starts.length - 2; phrase++) {
      let hash = 0;
      const end = this.starts.values[phrase + 1] ?? 0;
      for (let i = this.starts.values[phrase] ?? 0; i < end; i++)
        hash = hashStep(hash, this.phraseWords.values[i] ?? 0);
      this.insert(phrase, hash);
    }
  }

  private lookup(): PhraseLookup {
    return {
      slots: this.slots,
      starts: this.starts.values,
      phraseWords: this.phraseWords.values,
    };
  }
}

type PhraseLookup = Pick<ParaphraseTable, 'slots' | 'starts' | 'phraseWords'>;

/** The phrase equal to `length` words of `words` from `start`, or -1; `hash` is that of the words. */
function findPhrase(
  { slots, starts, phraseWords }: PhraseLookup,
  words: Int32Array,
  start: number,
  length: number,
  hash: number,
): number {
  const mask = slots.length - 1;
  for (let at = hash & mask; ; at = (at + 1) & mask) {
    const phrase = (slots[at] ?? 0) - 1;
    if (phrase < 0) return -1;
    const from = starts[phrase] ?? 0;
    if ((starts[phrase + 1] ?? 0) - from !== length) continue;
    let k = 0;
    while (k < length && phraseWords[from + k] === words[start + k]) k++;
    if (k === length) return phrase;
  }
}

/**
 * Reads a paraphrase table in METEOR's format, three lines an entry.
 * @throws Error naming the line that is wrong.
 */
export function parseParaphraseTable(text: string): ParaphraseTable {
  const builder = new ParaphraseTableBuilder();
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    builder.add(text.slice(start, end));
    start = end + 1;
  }
  return builder.done();
}

/** Finds paraphrases between a candidate and a reference, first with phrases of the reference, then of the candidate. */
export class PhraseFinder implements ParaphraseMatcher {
  private readonly table: ParaphraseTable;
  private readonly lexicon: Lexicon;
  /** Table's number of each word of the lexicon, -1 where it has none. */
  private readonly tableWord: number[] = [];
  /** Last position of each table word in the text at hand, if `stamps` holds that text's number. */
  private readonly lastAt: Int32Array;
  private readonly stamps: Int32Array;
  private stamp = 0;

  constructor(table: ParaphraseTable, lexicon: Lexicon) {
    this.table = table;
    this.lexicon = lexicon;
    this.lastAt = new Int32Array(table.words.size);
    this.stamps = new Int32Array(table.words.size);
  }

  match(
    candidate: Int32Array,
    reference: Int32Array,
    found: (start: number, length: number, matchStart: number, matchLength: number) => void,
  ): void {
    const candidateWords = this.translate(candidate);
    const referenceWords = this.translate(reference);
    const pairs: [number, number, number, number][] = [];
    this.search(referenceWords, candidateWords, (start, length, matchStart, matchLength) =>
      pairs.push([start, length, matchStart, matchLength]),
    );
    this.search(candidateWords, referenceWords, (matchStart, matchLength, start, length) =>
      pairs.push([start, length, matchStart, matchLength]),
    );
    // Both passes belong to the reference position where they start; within one the order stays.
    pairs.sort((a, b) => a[0] - b[0]);
    for (const pair of pairs) found(...pair);
  }

  private translate(words: Int32Array): Int32Array {
    return words.map((word) => {
      this.tableWord[word] ??= this.table.words.get(this.lexicon.texts[word] ?? '') ?? -1;
      return this.tableWord[word] ?? -1;
    });
  }

  /** Visits each phrase of `from` that has a paraphrase in `to`: by start, length, order in the table, place in `to`. */
  private search(
    from: Int32Array,
    to: Int32Array,
    visit: (start: number, length: number, at: number, otherLength: number) => void,
  ): void {
    const { table } = this;
    const previous = this.index(to);
    for (let start = 0; start < from.length; start++) {
      let hash = 0;
      const longest = Math.min(table.longest, from.length - start);
      for (let length = 1; length <= longest; length++) {
        const word = from[start + length - 1] ?? -1;
        if (word === -1) break;
        hash = hashStep(hash, word);
        const phrase = findPhrase(table, from, start, length, hash);
        if (phrase < 0) continue;
        for (
          let pair = table.first[phrase] ?? -1;
          pair !== -1;
          pair = table.following[pair] ?? -1
        ) {
          const other = table.paraphrase[pair] ?? 0;
          const otherLength = (table.starts[other + 1] ?? 0) - (table.starts[other] ?? 0);
          for (const at of this.occurrences(other, to, previous))
            visit(start, length, at, otherLength);
        }
      }
    }
  }

  /** Links each position of a text to the one before with the same word. */
  private index(text: Int32Array): Int32Array {
    this.stamp++;
    return text.map((word, i) => {
      if (word === -1) return -1;
      const last = this.stamps[word] === this.stamp ? (this.lastAt[word] ?? -1) : -1;
      this.stamps[word] = this.stamp;
      this.lastAt[word] = i;
      return last;
    });
  }

  /** Where a phrase stands in the indexed text, ascending. */
  private occurrences(phrase: number, text: Int32Array, previous: Int32Array): readonly number[] {
    const { starts, phraseWords } = this.table;
    const start = starts[phrase] ?? 0;
    const length = (starts[phrase + 1] ?? 0) - start;
    const head = phraseWords[start] ?? -1;
    if (length === 0 || this.stamps[head] !== this.stamp) return NOWHERE;
    const places: number[] = [];
    for (let at = this.lastAt[head] ?? -1; at !== -1; at = previous[at] ?? -1) {
      let k = 1;
      while (k < length && text[at + k] === phraseWords[start + k]) k++;
      if (k === length) places.push(at);
    }
    return places.reverse();
  }
}

const NOWHERE: readonly number[] = [];
