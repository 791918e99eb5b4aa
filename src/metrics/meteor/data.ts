/** WordNet as METEOR 1.5 and NLTK use it, read from the packed file data/meteor-en.bin.gz (unpacked by the caller). */
import { detached, detachmentRules } from '../words/detachment.ts';

/** First bytes of the packed file; the digit is the layout's version. */
export const METEOR_DATA_MAGIC = 'refcap-wordnet-1\n';
/** Words of a block; a look-up finds the block by its first word and reads through it. */
export const METEOR_DATA_BLOCK = 16;

/** METEOR tries them in one list, whatever the part of speech, and lacks one. */
const meteorRules = detachmentRules.flat().filter(([suffix]) => suffix !== 'ves');

/** Synonym data: words, the synsets each belongs to, and irregular forms. Lookups are lazy, so loading is quick. */
export interface MeteorData {
  /**
   * METEOR's synset numbers of a lower-case word and of its base form, ascending.
   * Numbers are byte offsets in WordNet's files without the part of speech, so some collide, as in METEOR itself.
   */
  synsets(word: string): Int32Array;
  /** Dense synset indices of a word that is in the dictionary as it stands; empty otherwise. */
  senses(word: string): readonly number[];
  /** Part of speech of a synset index: 0 noun, 1 verb, 2 adjective, 3 adverb. */
  partOfSpeech(synset: number): number;
  /** Base forms of an irregular form in a part of speech; undefined where it has none. */
  exceptions(word: string, partOfSpeech: number): readonly string[] | undefined;
  /** The words of a synset that WordNet writes in lower case. */
  lowerCaseWords(synset: number): readonly string[];
}

/**
 * Reads the packed WordNet data.
 * @param bytes the content of data/meteor-en.bin.gz after gunzip.
 * @throws Error if the bytes are not that file, or of another version.
 */
export function decodeMeteorData(bytes: Uint8Array): MeteorData {
  return new PackedWordNet(bytes);
}

class PackedWordNet implements MeteorData {
  private readonly ids: Int32Array;
  /** First synset of each part of speech, and the end. */
  private readonly starts: number[] = [0];
  private readonly words: WordBlocks;
  /** For each part of speech the lines of its irregular forms. */
  private readonly irregular: IrregularForms[];
  private members: string[][] | undefined;

  constructor(bytes: Uint8Array) {
    const reader = new Reader(bytes);
    const parts: Int32Array[] = [];
    for (let part = 0, total = 0; part < 4; part++) {
      const own = reader.rising(reader.number());
      parts.push(own);
      total += own.length;
      this.starts.push(total);
    }
    this.ids = new Int32Array(this.starts[4] ?? 0);
    for (const [part, own] of parts.entries()) this.ids.set(own, this.starts[part]);
    this.words = new WordBlocks(reader);
    this.irregular = parts.map(() => new IrregularForms(reader));
  }

  synsets(word: string): Int32Array {
    const found = new Set<number>();
    const add = (form: string) => {
      for (const synset of this.senses(form)) found.add(this.ids[synset] ?? 0);
    };
    add(word);
    for (const base of this.meteorBases(word)) add(base);
    return Int32Array.from(found).sort();
  }

  private meteorBases(word: string): readonly string[] {
    // Of two lines for a form NLTK takes the last, METEOR both.
    const irregular = this.irregular.flatMap((forms) => forms.lines(word).flat());
    if (irregular.length > 0) return irregular;
    // METEOR leaves "ss" words and words of two letters alone.
    if (word.length <= 2 || word.endsWith('ss')) return [];
    const base = detached(word, meteorRules).find((form) => this.words.senses(form));
    return base === undefined ? [] : [base];
  }

  senses(word: string): readonly number[] {
    return (this.words.senses(word) ?? []).map((coded) => coded >> 1);
  }

  partOfSpeech(synset: number): number {
    let part = 0;
    while (part < 3 && synset >= (this.starts[part + 1] ?? 0)) part++;
    return part;
  }

  exceptions(word: string, partOfSpeech: number): readonly string[] | undefined {
    return this.irregular[partOfSpeech]?.lines(word).at(-1);
  }

  lowerCaseWords(synset: number): readonly string[] {
    this.members ??= this.listMembers();
    return this.members[synset] ?? [];
  }

  /** Turns "synsets of a word" round into "words of a synset". */
  private listMembers(): string[][] {
    const members = Array.from(this.ids, (): string[] => []);
    this.words.forEach((word, senses) => {
      for (const coded of senses) if (coded & 1) members[coded >> 1]?.push(word);
    });
    return members;
  }
}

/** Irregular forms with their base forms, a line each, by the irregular form; some have two lines. */
class IrregularForms {
  /** What follows a form on each of its lines. */
  private readonly rests = new Map<string, string[]>();

  constructor(reader: Reader) {
    let line = '';
    for (let left = reader.number(); left > 0; left--) {
      line = reader.word(line);
      const end = line.indexOf(' ');
      const form = line.slice(0, end);
      const rest = line.slice(end + 1);
      const others = this.rests.get(form);
      if (others) others.push(rest);
      else this.rests.set(form, [rest]);
    }
  }

  /** The base forms on each line of a form. */
  lines(form: string): string[][] {
    return (this.rests.get(form) ?? []).map((rest) => rest.split(' '));
  }
}

/** Sorted words with their senses, in blocks that are read when asked. */
class WordBlocks {
  private readonly reader: Reader;
  private readonly count: number;
  /** Where each block starts. */
  private readonly starts: Int32Array;

  constructor(reader: Reader) {
    this.reader = reader;
    this.count = reader.number();
    const blocks = Math.ceil(this.count / METEOR_DATA_BLOCK);
    const ends = reader.rising(blocks);
    this.starts = new Int32Array(blocks);
    for (let i = 0; i < blocks; i++)
      this.starts[i] = reader.at + (i === 0 ? 0 : (ends[i - 1] ?? 0));
    reader.at += ends[blocks - 1] ?? 0;
  }

  /** The coded senses of a word (synset * 2 + 1 where WordNet writes it in lower case); undefined if absent. */
  senses(word: string): number[] | undefined {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.beginsAfter(middle, word)) high = middle - 1;
      else low = middle;
    }
    return this.find(low, word);
  }

  /** Whether a block's first word comes behind a word. */
  private beginsAfter(block: number, word: string): boolean {
    const { reader } = this;
    reader.at = this.starts[block] ?? 0;
    // It shares nothing with the block before.
    reader.number();
    const end = reader.number() + reader.at;
    const common = reader.common(word, 0, end);
    return reader.at < end && (common === word.length || reader.comesBehind(word, common));
  }

  /** Visits all words in order. */
  forEach(visit: (word: string, senses: number[]) => void): void {
    const { reader } = this;
    for (let block = 0; block < this.starts.length; block++) {
      reader.at = this.starts[block] ?? 0;
      let word = '';
      for (let left = this.size(block); left > 0; left--) {
        word = reader.word(word);
        visit(word, reader.senses());
      }
    }
  }

  private size(block: number): number {
    return Math.min(METEOR_DATA_BLOCK, this.count - block * METEOR_DATA_BLOCK);
  }

  /** Reads through a block without making its words: each tells what it shares with the one before. */
  private find(block: number, word: string): number[] | undefined {
    const { reader } = this;
    reader.at = this.starts[block] ?? 0;
    // What the word shares with the last one read, which comes before it.
    let common = 0;
    for (let left = this.size(block); left > 0; left--) {
      const shared = reader.number();
      const end = reader.number() + reader.at;
      // It parts from the word before the last one did, so it comes behind.
      if (shared < common) return undefined;
      if (shared === common) {
        common += reader.common(word, common, end);
        const ended = common === word.length;
        if (reader.at === end && ended) return reader.senses();
        if (reader.at < end && (ended || reader.comesBehind(word, common))) return undefined;
      }
      reader.at = end;
      for (let senses = reader.number(); senses > 0; senses--) reader.number();
    }
    return undefined;
  }
}

class Reader {
  at: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    const magic = String.fromCharCode(...bytes.subarray(0, METEOR_DATA_MAGIC.length));
    if (magic !== METEOR_DATA_MAGIC)
      throw new Error(
        'These bytes are not the METEOR data of this version; pass data/meteor-en.bin.gz after gunzip.',
      );
    this.bytes = bytes;
    this.at = METEOR_DATA_MAGIC.length;
  }

  number(): number {
    const first = this.bytes[this.at++] ?? endsTooEarly();
    return first < 128 ? first : this.continued(first & 127);
  }

  /** A number of several bytes, whose first one is read. */
  private continued(first: number): number {
    let value = first;
    for (let shift = 7; ; shift += 7) {
      const byte = this.bytes[this.at++] ?? endsTooEarly();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  /** Running sums of the next `count` numbers. */
  rising(count: number): Int32Array {
    const out = new Int32Array(count);
    for (let i = 0, last = 0; i < count; i++) {
      last += this.number();
      out[i] = last;
    }
    return out;
  }

  /** A word, stored as the length it shares with the last one, and the rest. */
  word(last: string): string {
    const shared = this.number();
    const rest = this.number();
    const end = this.at + rest;
    let word = last.slice(0, shared);
    while (this.at < end) word += String.fromCharCode(this.bytes[this.at++] ?? 0);
    return word;
  }

  /** The coded senses of a word. */
  senses(): number[] {
    const senses: number[] = [];
    for (let left = this.number(), last = 0; left > 0; left--) {
      const coded = this.number();
      last += coded >> 1;
      senses.push(last * 2 + (coded & 1));
    }
    return senses;
  }

  /** Passes over the letters before `end` that are those of a word from `from` on. @returns how many */
  common(word: string, from: number, end: number): number {
    let at = from;
    while (this.at < end && at < word.length && this.bytes[this.at] === word.charCodeAt(at)) {
      this.at++;
      at++;
    }
    return at - from;
  }

  /** Whether the next letter is behind that of a word. */
  comesBehind(word: string, at: number): boolean {
    return (this.bytes[this.at] ?? 0) > word.charCodeAt(at);
  }
}

function endsTooEarly(): never {
  throw new Error('The METEOR data end too early; the file is damaged, so get it anew.');
}
