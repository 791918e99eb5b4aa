/** Fits a model's confidence to captions of pictures with references, and says how true it is. Pure. */
import { createRandom, shuffle } from '../base/random.ts';
import type { ConfidenceConfig } from './config.ts';
import { featuresOf, type NounEvidence } from './evidence.ts';
import { fitLogistic, type LogisticMap, mapProbability } from './logistic.ts';
import { type JudgedProbability, reliabilityOf } from './reliability.ts';

/** A caption of a picture with references. */
export interface JudgedNoun {
  readonly evidence: NounEvidence;
  /** Whether the main noun stands in a reference. */
  readonly right: boolean;
  /** The source of the picture. */
  readonly source: string;
}

export interface ConfidenceFitOptions {
  /** Parts of the pictures, each judged by a map fitted to the others. Default 10. */
  readonly folds?: number;
  /** Of the parts and the intervals. Default 1. */
  readonly seed?: number;
}

/**
 * The map of all pictures of all sources together, with the reliability of maps that had not seen the pictures that they
 * judge. Captions without a noun, whose confidence is 0 by rule, are left aside.
 * @throws RangeError without a caption that has a noun
 */
export function fitConfidence(
  captions: readonly JudgedNoun[],
  { folds = 10, seed = 1 }: ConfidenceFitOptions = {},
): ConfidenceConfig {
  const named = captions.filter(({ evidence }) => evidence.mainNoun !== undefined);
  if (named.length === 0) throw new RangeError('no caption has a noun');
  const { weights, shift } = fitTo(named);
  const judged = crossFitted(named, folds, seed);
  const sources = [...new Set(named.map(({ source }) => source))];
  const [noun, caption, concept] = weights;
  return {
    weights: {
      noun: rounded(noun),
      caption: rounded(caption),
      ...(concept !== undefined && { conceptProbability: rounded(concept) }),
    },
    shift: rounded(shift),
    reliability: {
      folds,
      all: reliabilityOf(judged, seed),
      sources: sources.map((name) => ({
        name,
        ...reliabilityOf(
          judged.filter((_, i) => named[i].source === name),
          seed,
        ),
      })),
    },
  };
}

/** Six digits behind the point, as a person reads them in config.json. */
function rounded(x: number): number {
  return Number(x.toFixed(6));
}

function fitTo(captions: readonly JudgedNoun[]): LogisticMap {
  return fitLogistic(
    captions.map(({ evidence }) => featuresOf(evidence)),
    captions.map(({ right }) => right),
  );
}

function crossFitted(
  captions: readonly JudgedNoun[],
  folds: number,
  seed: number,
): JudgedProbability[] {
  // By chance: neighbours in a dataset may be alike.
  const foldOf = shuffle(
    captions.map((_, i) => i % folds),
    createRandom(seed),
  );
  const maps = Array.from({ length: folds }, (_, fold) =>
    fitTo(captions.filter((_, i) => foldOf[i] !== fold)),
  );
  return captions.map(({ evidence, right }, i) => ({
    probability: mapProbability(maps[foldOf[i]], featuresOf(evidence)),
    right,
  }));
}
