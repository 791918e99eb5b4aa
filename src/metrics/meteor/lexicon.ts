/** Words as small integers with what METEOR asks of each: stem, function word or not, synonyms. */

import { englishStem } from '../words/stem-english.ts';
import type { MeteorData } from './data.ts';

/**
 * METEOR 1.5's English function words: what makes up more than a thousandth of a large news corpus.
 * They count a quarter, content words three quarters.
 */
const FUNCTION_WORDS = new Set(
  (
    'the , . to of and a in that for " is on \'s it with was as said at he by be from have has are his but an this ' +
    'not i will \u2019 they ) -rrb- ( -lrb- who their had we which were been more or s its would about new one after ' +
    'you : also up when there than $ all out her people she year two - can if last first \u201c over other \u201d into ' +
    "some what so -- no time years could ? 't \u2014 '"
  ).split(' '),
);

/** Numbers words as they come; what was found out about a word is kept for the next captions. */
export class Lexicon {
  private readonly data: MeteorData;
  private readonly ids = new Map<string, number>();
  private readonly stemIds = new Map<string, number>();
  private readonly bySynset = new Map<number, number[]>();
  readonly texts: string[] = [];
  /** Stem number of each word. */
  readonly stems: number[] = [];
  /** 1 for a function word, 0 for a content word. */
  readonly functions: number[] = [];
  /** The known words that share a synset with each word, itself included; undefined where there is no synset. */
  readonly synonyms: (Set<number> | undefined)[] = [];

  constructor(data: MeteorData) {
    this.data = data;
  }

  /** Number of words known so far; ids are below it. */
  get size(): number {
    return this.stems.length;
  }

  /** The number of a normalised word. */
  id(word: string): number {
    return this.ids.get(word) ?? this.add(word);
  }

  private add(word: string): number {
    const id = this.stems.length;
    this.ids.set(word, id);
    const stem = englishStem(word);
    const stemId = this.stemIds.get(stem) ?? this.stemIds.size;
    this.stemIds.set(stem, stemId);
    this.texts.push(word);
    this.stems.push(stemId);
    this.functions.push(FUNCTION_WORDS.has(word) ? 1 : 0);
    this.synonyms.push(this.relate(id, this.data.synsets(word)));
    return id;
  }

  private relate(id: number, synsets: Int32Array): Set<number> | undefined {
    if (synsets.length === 0) return undefined;
    const related = new Set<number>();
    for (const synset of synsets) {
      let words = this.bySynset.get(synset);
      if (!words) {
        words = [];
        this.bySynset.set(synset, words);
      }
      words.push(id);
      for (const other of words) {
        related.add(other);
        this.synonyms[other]?.add(id);
      }
    }
    return related;
  }
}
