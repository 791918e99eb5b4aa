/** What confidence is computed from: the caption's main noun, and how sure the model was of it. Pure. */
import type { MeteorData } from '../metrics/meteor/data.ts';
import type { ConfidenceConfig } from './config.ts';
import { type LogisticMap, mapProbability } from './logistic.ts';
import { mainNoun } from './main-noun.ts';
import { NounMatcher } from './stands.ts';

/** A word of a caption with its log-probability. */
export interface ScoredWord {
  readonly text: string;
  readonly logprob: number;
}

/** A name that the model's concepts gave the decoder, and how likely it is that people speak of it. */
export interface NamedConcept {
  readonly name: string;
  readonly probability: number;
}

/** How sure a model was of a caption's main noun. */
export interface NounEvidence {
  /** Undefined for a caption without a noun. */
  readonly mainNoun: string | undefined;
  /** Log-odds of the noun's probability. */
  readonly noun: number;
  /** Mean log-probability of the caption's tokens. */
  readonly caption: number;
  /** The probability that the concepts give to the noun; undefined for a model without concepts. */
  readonly concept: number | undefined;
}

/** Reads the evidence of captions; what it finds out about words is kept. */
export class EvidenceReader {
  readonly #wordNet: MeteorData;
  readonly #matcher: NounMatcher;

  constructor(wordNet: MeteorData) {
    this.#wordNet = wordNet;
    this.#matcher = new NounMatcher(wordNet);
  }

  /**
   * @param words of a whole caption; those of a prompt have the log-probability 0
   * @param concepts of its picture; undefined for a model without concepts
   */
  read(
    words: readonly ScoredWord[],
    meanLogprob: number,
    concepts: readonly NamedConcept[] | undefined,
  ): NounEvidence {
    const lower = words.map(({ text }) => text.toLowerCase());
    const at = mainNoun(lower, this.#wordNet);
    const noun = at === undefined ? undefined : lower[at];
    return {
      mainNoun: noun,
      noun: logOdds(at === undefined ? 0 : Math.exp(words[at].logprob)),
      caption: meanLogprob,
      concept: concepts && (noun === undefined ? 0 : this.#conceptOf(noun, concepts)),
    };
  }

  /** The largest probability of a name that ends in the noun, or in a word that means the same. */
  #conceptOf(noun: string, concepts: readonly NamedConcept[]): number {
    return concepts.reduce((most, { name, probability }) => {
      const [last = ''] = name.split(' ').slice(-1);
      return probability > most && this.#matcher.stands(noun, [last]) ? probability : most;
    }, 0);
  }
}

/** What is less likely, or less unlikely, counts as so likely. */
const least = 1e-3;

function logOdds(probability: number): number {
  const p = Math.min(1 - least, Math.max(least, probability));
  return Math.log(p / (1 - p));
}

/** The kinds of evidence that a map weighs, in its order. */
export function featuresOf(evidence: NounEvidence): number[] {
  const { noun, caption, concept } = evidence;
  return concept === undefined ? [noun, caption] : [noun, caption, concept];
}

/** The probability that the main noun stands in a reference; 0 for a caption that names nothing. */
export function confidenceFrom(config: ConfidenceConfig, evidence: NounEvidence): number {
  if (evidence.mainNoun === undefined) return 0;
  return mapProbability(mapOf(config), featuresOf({ ...evidence, concept: evidence.concept ?? 0 }));
}

function mapOf({ weights, shift }: ConfidenceConfig): LogisticMap {
  return { weights: [weights.noun, weights.caption, weights.conceptProbability ?? 0], shift };
}
