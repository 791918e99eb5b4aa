/**
 * METEOR as NLTK computes it (nltk.translate.meteor_score 3.10.3 with its defaults), for comparison:
 * greedy exact, stem and WordNet matches, alpha .9, beta 3, gamma .5. Its values are not those of METEOR 1.5.
 */

import type { CaptionedImage, Metric } from '../types.ts';
import { baseForms } from '../words/base-forms.ts';
import { porterStem } from '../words/stem-porter.ts';
import type { MeteorData } from './data.ts';

const ALPHA = 0.9;
const BETA = 3;
const GAMMA = 0.5;
/** Noun, verb, adjective, adverb. */
const PARTS_OF_SPEECH = 4;

/** NLTK's METEOR over tokens. */
export interface NltkMeteor {
  /**
   * NLTK's `meteor_score(references, candidate)`: the best score over the references, 0 without any.
   * Tokens are lower-cased first.
   */
  score(candidate: readonly string[], references: readonly (readonly string[])[]): number;
}

/** @param data WordNet, from `decodeMeteorData`. */
export function createNltkMeteor(data: MeteorData): NltkMeteor {
  const stems = new Map<string, string>();
  const stem = (word: string) => remember(stems, word, porterStem);
  const synonyms = new Map<string, ReadonlySet<string>>();
  const synonymsOf = (word: string) => remember(synonyms, word, (key) => synonymsIn(data, key));
  return {
    score(candidate, references) {
      const words = candidate.map((word) => word.toLowerCase());
      const scores = references.map((reference) =>
        scoreOne(
          words,
          reference.map((word) => word.toLowerCase()),
          stem,
          synonymsOf,
        ),
      );
      return scores.reduce((best, score) => Math.max(best, score), 0);
    },
  };
}

/** NLTK's METEOR as a metric: PTB tokens, the mean over images of the best score over references. */
export function createNltkMeteorMetric(data: MeteorData): Metric {
  const nltk = createNltkMeteor(data);
  return {
    ...nltkMeteorScoring,
    statistics({ tokenized }: CaptionedImage, out: Float64Array, offset: number): void {
      out[offset] = nltk.score(split(tokenized.candidate), tokenized.references.map(split));
    },
  };
}

/** The part of the metric that needs no data. */
export const nltkMeteorScoring: Pick<Metric, 'names' | 'width' | 'scores'> = {
  names: ['NLTK_METEOR'],
  width: 1,
  scores: (sums, images) => [(sums[0] ?? 0) / images],
};

const split = (text: string) => text.split(/\s+/).filter((word) => word !== '');

function remember<V>(map: Map<string, V>, key: string, compute: (key: string) => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = compute(key);
    map.set(key, value);
  }
  return value;
}

/** The lower-case words of one token in all synsets of a word and its base forms, and the word itself. */
function synonymsIn(data: MeteorData, word: string): ReadonlySet<string> {
  const found = new Set([word]);
  for (let part = 0; part < PARTS_OF_SPEECH; part++) {
    for (const form of new Set([word, ...baseForms(data, word, part)])) {
      for (const synset of data.senses(form)) {
        if (data.partOfSpeech(synset) !== part) continue;
        for (const name of data.lowerCaseWords(synset)) if (!name.includes('_')) found.add(name);
      }
    }
  }
  return found;
}

/** Words not matched yet, by place; undefined where matched. */
type Left = (string | undefined)[];

function scoreOne(
  candidate: readonly string[],
  reference: readonly string[],
  stem: (word: string) => string,
  synonymsOf: (word: string) => ReadonlySet<string>,
): number {
  const pairs = new Map<number, number>();
  let left: Left = [...candidate];
  let right: Left = [...reference];
  match(left, right, pairs, (word) => [word]);
  left = left.map((word) => word && stem(word));
  right = right.map((word) => word && stem(word));
  match(left, right, pairs, (word) => [word]);
  // NLTK looks up the stems in WordNet, not the words.
  match(left, right, pairs, synonymsOf);
  if (pairs.size === 0) return 0;
  const precision = pairs.size / candidate.length;
  const recall = pairs.size / reference.length;
  const mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall);
  const penalty = GAMMA * (countChunks(pairs) / pairs.size) ** BETA;
  return (1 - penalty) * mean;
}

/** Matches from the last word of the candidate, each with the last free word of the reference that fits. */
function match(
  left: Left,
  right: Left,
  pairs: Map<number, number>,
  fitting: (word: string) => Iterable<string>,
): void {
  const places = new Map<string, number[]>();
  for (const [j, word] of right.entries()) {
    if (word === undefined) continue;
    const list = places.get(word);
    if (list) list.push(j);
    else places.set(word, [j]);
  }
  for (let i = left.length - 1; i >= 0; i--) {
    const word = left[i];
    if (word === undefined) continue;
    let best = -1;
    let from: number[] = [];
    for (const option of fitting(word)) {
      const list = places.get(option);
      const last = list?.at(-1) ?? -1;
      if (list && last > best) {
        best = last;
        from = list;
      }
    }
    if (best === -1) continue;
    from.pop();
    left[i] = undefined;
    right[best] = undefined;
    pairs.set(i, best);
  }
}

/** Runs of matches that follow each other in both texts. */
function countChunks(pairs: ReadonlyMap<number, number>): number {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
  let chunks = 1;
  for (let k = 1; k < sorted.length; k++) {
    const [i, j] = sorted[k] ?? [0, 0];
    const [lastI, lastJ] = sorted[k - 1] ?? [0, 0];
    if (i !== lastI + 1 || j !== lastJ + 1) chunks++;
  }
  return chunks;
}
