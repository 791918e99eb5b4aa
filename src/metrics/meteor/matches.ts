/** All matches between a candidate and a reference: exact words, stems, synonyms, paraphrases. */
import type { Lexicon } from './lexicon.ts';

/** Modules in METEOR's order, and the weight each has in precision and recall. */
export const EXACT = 0;
export const STEM = 1;
export const SYNONYM = 2;
export const PARAPHRASE = 3;
export const MODULE_WEIGHTS = [1, 0.6, 0.8, 0.6] as const;

/** Above this length of the candidate, its words are indexed instead of looked through. */
const INDEX_ABOVE = 48;

/** Finds the phrases of the candidate that paraphrase a phrase of the reference. */
export interface ParaphraseMatcher {
  /** Calls `found` for each pair, by start in the reference; within one start in METEOR's order. */
  match(
    candidate: Int32Array,
    reference: Int32Array,
    found: (start: number, length: number, matchStart: number, matchLength: number) => void,
  ): void;
}

/**
 * Matches by their start in the reference. Those of one word each are listed once per distinct
 * word of the reference; `from[j] .. to[j]` is the list of position j. Paraphrases follow in
 * `phraseFrom[j] .. phraseTo[j]`.
 */
export class Matches {
  /** Start in the candidate, words there, words in the reference, module: one entry a match. */
  matchStart: Int32Array = new Int32Array(1024);
  matchLength: Int32Array = new Int32Array(1024);
  length: Int32Array = new Int32Array(1024);
  module: Uint8Array = new Uint8Array(1024);
  count = 0;
  from: Int32Array = new Int32Array(64);
  to: Int32Array = new Int32Array(64);
  phraseFrom: Int32Array = new Int32Array(64);
  phraseTo: Int32Array = new Int32Array(64);
  /** How many matches cover each word. */
  candidateCover: Int32Array = new Int32Array(64);
  referenceCover: Int32Array = new Int32Array(64);

  private readonly lexicon: Lexicon;
  private readonly paraphrases: ParaphraseMatcher | undefined;
  /** Of each word: the first position in this reference where it stands, if `stamps` holds this reference's number. */
  private firstAt = new Int32Array(1024);
  private stamps = new Int32Array(1024);
  private stamp = 0;
  private repeats = new Int32Array(64);
  private readonly byWord = new Map<number, number[]>();
  private readonly byStem = new Map<number, number[]>();
  private indexed: Int32Array | undefined;

  constructor(lexicon: Lexicon, paraphrases?: ParaphraseMatcher) {
    this.lexicon = lexicon;
    this.paraphrases = paraphrases;
  }

  /** Fills the tables for one candidate and one reference, given as word numbers. */
  find(candidate: Int32Array, reference: Int32Array): void {
    this.count = 0;
    this.reserve(candidate.length, reference.length);
    if (candidate.length > INDEX_ABOVE && this.indexed !== candidate) this.index(candidate);
    this.stamp++;
    this.repeats.fill(0, 0, reference.length);
    for (let j = 0; j < reference.length; j++) {
      const word = reference[j] ?? 0;
      if (this.stamps[word] === this.stamp) {
        const first = this.firstAt[word] ?? 0;
        this.from[j] = this.from[first] ?? 0;
        this.to[j] = this.to[first] ?? 0;
        this.repeats[first]++;
      } else {
        this.stamps[word] = this.stamp;
        this.firstAt[word] = j;
        this.repeats[j] = 1;
        this.from[j] = this.count;
        if (candidate.length > INDEX_ABOVE) this.matchByIndex(word);
        else this.matchDirectly(word, candidate);
        this.to[j] = this.count;
      }
    }
    this.cover(candidate.length, reference.length);
    if (this.paraphrases) this.matchPhrases(candidate, reference);
  }

  private reserve(candidate: number, reference: number): void {
    if (this.lexicon.size > this.stamps.length) {
      this.stamps = new Int32Array(2 * this.lexicon.size);
      this.firstAt = new Int32Array(2 * this.lexicon.size);
    }
    if (reference > this.from.length) {
      this.from = new Int32Array(2 * reference);
      this.to = new Int32Array(2 * reference);
      this.phraseFrom = new Int32Array(2 * reference);
      this.phraseTo = new Int32Array(2 * reference);
      this.referenceCover = new Int32Array(2 * reference);
      this.repeats = new Int32Array(2 * reference);
    }
    if (candidate > this.candidateCover.length) this.candidateCover = new Int32Array(2 * candidate);
  }

  private matchDirectly(word: number, candidate: Int32Array): void {
    const { stems, synonyms } = this.lexicon;
    const stem = stems[word];
    for (let i = 0; i < candidate.length; i++) if (candidate[i] === word) this.push(i, 1, 1, EXACT);
    for (let i = 0; i < candidate.length; i++) {
      const other = candidate[i] ?? 0;
      if (other !== word && stems[other] === stem) this.push(i, 1, 1, STEM);
    }
    const related = synonyms[word];
    if (!related || related.size === 1) return;
    for (let i = 0; i < candidate.length; i++) {
      const other = candidate[i] ?? 0;
      if (other !== word && related.has(other)) this.push(i, 1, 1, SYNONYM);
    }
  }

  private index(candidate: Int32Array): void {
    this.indexed = candidate;
    this.byWord.clear();
    this.byStem.clear();
    for (let i = 0; i < candidate.length; i++) {
      const word = candidate[i] ?? 0;
      append(this.byWord, word, i);
      append(this.byStem, this.lexicon.stems[word] ?? 0, i);
    }
  }

  private matchByIndex(word: number): void {
    const { stems, synonyms } = this.lexicon;
    const exact = this.byWord.get(word) ?? [];
    for (const i of exact) this.push(i, 1, 1, EXACT);
    const sameStem = this.byStem.get(stems[word] ?? 0) ?? [];
    if (sameStem.length > exact.length)
      for (const i of sameStem) if (this.indexed?.[i] !== word) this.push(i, 1, 1, STEM);
    const related = synonyms[word];
    if (!related) return;
    const positions: number[] = [];
    const add = (other: number, list: readonly number[] | undefined) => {
      if (other !== word && list) for (const i of list) positions.push(i);
    };
    if (related.size < this.byWord.size)
      for (const other of related) add(other, this.byWord.get(other));
    else for (const [other, list] of this.byWord) if (related.has(other)) add(other, list);
    for (const i of positions.sort((a, b) => a - b)) this.push(i, 1, 1, SYNONYM);
  }

  private cover(candidate: number, reference: number): void {
    this.candidateCover.fill(0, 0, candidate);
    for (let j = 0; j < reference; j++) {
      const from = this.from[j] ?? 0;
      const to = this.to[j] ?? 0;
      this.referenceCover[j] = to - from;
      this.phraseFrom[j] = 0;
      this.phraseTo[j] = 0;
      const repeats = this.repeats[j] ?? 0;
      if (repeats === 0) continue;
      for (let k = from; k < to; k++) this.candidateCover[this.matchStart[k] ?? 0] += repeats;
    }
  }

  private matchPhrases(candidate: Int32Array, reference: Int32Array): void {
    this.paraphrases?.match(candidate, reference, (start, length, matchStart, matchLength) => {
      if (this.phraseTo[start] === 0) this.phraseFrom[start] = this.count;
      this.push(matchStart, matchLength, length, PARAPHRASE);
      this.phraseTo[start] = this.count;
      for (let k = 0; k < matchLength; k++) this.candidateCover[matchStart + k]++;
      for (let k = 0; k < length; k++) this.referenceCover[start + k]++;
    });
  }

  private push(matchStart: number, matchLength: number, length: number, module: number): void {
    const at = this.count++;
    if (at === this.matchStart.length) this.grow();
    this.matchStart[at] = matchStart;
    this.matchLength[at] = matchLength;
    this.length[at] = length;
    this.module[at] = module;
  }

  private grow(): void {
    const larger = (old: Int32Array) => {
      const array = new Int32Array(2 * old.length);
      array.set(old);
      return array;
    };
    this.matchStart = larger(this.matchStart);
    this.matchLength = larger(this.matchLength);
    this.length = larger(this.length);
    const module = new Uint8Array(2 * this.module.length);
    module.set(this.module);
    this.module = module;
  }
}

function append(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
