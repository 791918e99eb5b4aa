/** The word that an English caption is mainly about: the head of its first noun phrase. Pure. */
import type { MeteorData } from '../metrics/meteor/data.ts';
import { baseForms } from '../metrics/words/base-forms.ts';
import {
  articles,
  irregularParticiples,
  measures,
  namesInIng,
  notParticiples,
  plurals,
  pluralWords,
  stops,
} from './closed-words.ts';

/**
 * The place of the main noun among a caption's words, as a person would pick it: `dogs` in "two black dogs are running
 * on the grass", `cat` in "a close up of a cat". A measure before "of" (a group of, a picture of) is passed over.
 * @param words of one caption, lower case, punctuation as words of its own
 * @returns undefined where the caption has no noun
 */
export function mainNoun(words: readonly string[], wordNet: MeteorData): number | undefined {
  const reader = new PhraseReader(words, wordNet);
  let measure: number | undefined;
  for (let at = 0; at < words.length; ) {
    const { head, end } = reader.phrase(at);
    at = end + 1;
    if (head === undefined) continue;
    if (words[end] !== 'of' || !measures.has(words[head])) return head;
    measure ??= head;
  }
  return measure;
}

interface Phrase {
  readonly head: number | undefined;
  /** The place of the word that ends the phrase. */
  readonly end: number;
}

const [noun, verb, adjective] = [0, 1, 2];

/** Reads noun phrases by closed classes of words, and by what WordNet knows of the others. */
class PhraseReader {
  readonly #words: readonly string[];
  readonly #wordNet: MeteorData;

  constructor(words: readonly string[], wordNet: MeteorData) {
    this.#words = words;
    this.#wordNet = wordNet;
  }

  /** The noun phrase that begins at a place; without a head where a verb or preposition stands there. */
  phrase(from: number): Phrase {
    const words = this.#words;
    const run: number[] = [];
    let isSingular = false;
    let at = from;
    for (; at < words.length; at++) {
      const word = words[at];
      if (!/\p{L}/u.test(word) || word === 's') {
        // A hyphen or the end of a possessive; a comma parts, but for adjectives.
        if (word === ',' && this.#isThing(run.at(-1))) break;
      } else if (word === 'close' && words.slice(at + 1, at + 3).includes('up')) {
        at = words.indexOf('up', at);
      } else if (articles.has(word) || plurals.has(word)) {
        if (run.length > 0) break;
        isSingular = articles.has(word);
      } else if (stops.has(word)) {
        if (!this.#joinsAdjectives(at, run)) break;
      } else if (this.#isVerb(at, run, isSingular)) {
        if (run.length > 0) break;
      } else run.push(at);
    }
    return { head: this.#head(run, isSingular), end: at };
  }

  /** The last word that may be a noun; of what is many, the first plural, so that "dogs play ball" is of dogs. */
  #head(run: readonly number[], isSingular: boolean): number | undefined {
    const nouns = run.filter((at) => this.#mayBe(at, noun));
    const first = nouns.findIndex((at) => this.#isPlural(at));
    if (isSingular || first < 0) return nouns.at(-1) ?? run.at(-1);
    let last = first;
    while (nouns[last + 1] === nouns[last] + 1 && this.#isPlural(nouns[last + 1])) last += 1;
    return nouns[last];
  }

  /** Whether the word is a verb, or a participle that stands behind its noun. */
  #isVerb(at: number, run: readonly number[], isSingular: boolean): boolean {
    const word = this.#words[at];
    const follows = this.#isThing(run.at(-1));
    // "snow covered mountains": behind a noun and before another, -ed describes; -ing may have an object.
    if (isParticiple(word)) return (follows && !word.endsWith('ed')) || !this.#isNounAhead(at + 1);
    const next = this.#words[at + 1] ?? '';
    if (namesInIng.has(word)) return follows && (articles.has(next) || plurals.has(next));
    // "a dog jumps": the third person behind one thing.
    const isThird = /[^sui]s$/.test(word) && this.#known(word, verb);
    return isSingular && follows && isThird;
  }

  /** "and" between two adjectives of one noun. */
  #joinsAdjectives(at: number, run: readonly number[]): boolean {
    if (this.#words[at] !== 'and' || run.length === 0 || at + 1 >= this.#words.length) return false;
    return (
      this.#mayBe(run[run.length - 1], adjective) && this.#known(this.#words[at + 1], adjective)
    );
  }

  /** Whether a word is a noun and no adjective: what follows it describes it. */
  #isThing(at: number | undefined): boolean {
    if (at === undefined || !this.#mayBe(at, noun)) return false;
    return !this.#known(this.#words[at], adjective) || this.#isPlural(at);
  }

  #isNounAhead(at: number): boolean {
    const word = this.#words[at];
    if (word === undefined || stops.has(word) || articles.has(word) || plurals.has(word))
      return false;
    return this.#mayBe(at, noun) && !/(?:ing|ly)$/.test(word);
  }

  #isPlural(at: number): boolean {
    const word = this.#words[at];
    if (pluralWords.has(word)) return true;
    if (/(?:[sui]s|[^s])$/.test(word) && !this.#wordNet.exceptions(word, noun)) return false;
    return this.#known(word, noun);
  }

  /** Words that WordNet does not have may be nouns. */
  #mayBe(at: number, part: number): boolean {
    const word = this.#words[at];
    if (this.#known(word, part)) return true;
    return part === noun && [noun, verb, adjective, 3].every((each) => !this.#known(word, each));
  }

  /** Whether WordNet has a word, or a base form of it, as this part of speech. */
  #known(word: string, part: number): boolean {
    return [word, ...baseForms(this.#wordNet, word, part)].some((form) =>
      this.#wordNet.senses(form).some((sense) => this.#wordNet.partOfSpeech(sense) === part),
    );
  }
}

function isParticiple(word: string): boolean {
  if (irregularParticiples.has(word)) return true;
  if (word.endsWith('ing')) return word.length > 4 && !namesInIng.has(word);
  return word.endsWith('ed') && word.length > 3 && !notParticiples.has(word);
}
