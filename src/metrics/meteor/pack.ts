/** Writes the packed WordNet file that `decodeMeteorData` of src/metrics/meteor-data.ts reads. */
import { METEOR_DATA_BLOCK, METEOR_DATA_MAGIC } from './data.ts';

/** A word (lower case) in a synset; synsets are numbered through nouns, verbs, adjectives, adverbs in file order. */
export interface WordNetSense {
  word: string;
  synset: number;
  /** False where WordNet writes the word with capitals. */
  lowerCase: boolean;
}

export interface WordNetContent {
  /** METEOR's synset ids, ascending, of nouns, verbs, adjectives, adverbs. */
  ids: readonly (readonly number[])[];
  senses: readonly WordNetSense[];
  /** Irregular forms and their base forms, of nouns, verbs, adjectives, adverbs. */
  exceptions: readonly (readonly [string, readonly string[]])[][];
}

/** Packs WordNet: numbers as varints of differences, sorted words as (shared prefix, rest) in blocks. */
export function encodeMeteorData(content: WordNetContent): Uint8Array {
  const writer = new Writer();
  for (const char of METEOR_DATA_MAGIC) writer.byte(char.charCodeAt(0));
  for (const ids of content.ids) {
    writer.number(ids.length);
    let last = 0;
    for (const id of ids) {
      writer.number(id - last);
      last = id;
    }
  }
  const byWord = new Map<string, Map<number, boolean>>();
  for (const { word, synset, lowerCase } of content.senses) {
    const own = byWord.get(word) ?? new Map<number, boolean>();
    own.set(synset, (own.get(synset) ?? false) || lowerCase);
    byWord.set(word, own);
  }
  const words = [...byWord.keys()].sort(compareAscii);
  writer.number(words.length);
  const blocks: Writer[] = [];
  for (let start = 0; start < words.length; start += METEOR_DATA_BLOCK) {
    const block = new Writer();
    let last = '';
    for (const word of words.slice(start, start + METEOR_DATA_BLOCK)) {
      block.word(word, last);
      block.senses(byWord.get(word) ?? new Map());
      last = word;
    }
    blocks.push(block);
  }
  for (const block of blocks) writer.number(block.bytes().length);
  for (const block of blocks) writer.append(block);
  for (const list of content.exceptions) {
    // A form may have two lines; the sort keeps their order.
    const sorted = [...list].sort((a, b) => compareAscii(a[0], b[0]));
    const lines = sorted.map(([inflected, bases]) => [inflected, ...bases].join(' '));
    writer.number(lines.length);
    for (const [i, line] of lines.entries()) writer.word(line, lines[i - 1] ?? '');
  }
  return writer.bytes();
}

const compareAscii = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

class Writer {
  private readonly out: number[] = [];

  byte(value: number): void {
    this.out.push(value);
  }

  number(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.out.push((rest & 127) | 128);
      rest >>>= 7;
    }
    this.out.push(rest);
  }

  /** A word as the length it shares with the last one, and the rest. */
  word(word: string, last: string): void {
    let shared = 0;
    while (shared < word.length && word[shared] === last[shared]) shared++;
    this.number(shared);
    this.number(word.length - shared);
    for (let i = shared; i < word.length; i++) {
      const code = word.charCodeAt(i);
      if (code > 127) throw new Error(`${word}: not ASCII, as all of WordNet's words are.`);
      this.byte(code);
    }
  }

  senses(senses: ReadonlyMap<number, boolean>): void {
    this.number(senses.size);
    let last = 0;
    for (const [synset, lowerCase] of [...senses].sort((a, b) => a[0] - b[0])) {
      this.number((synset - last) * 2 + (lowerCase ? 1 : 0));
      last = synset;
    }
  }

  append(other: Writer): void {
    for (const byte of other.out) this.out.push(byte);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.out);
  }
}
