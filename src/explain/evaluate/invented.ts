/** Does visual dependence find words that the captioner invents? Those that no reference of the picture has. */
import { fitLogistic, mapProbability } from '../../confidence/logistic.ts';
import { englishStem } from '../../metrics/words/stem-english.ts';
import { splitWords } from '../../metrics/words/words.ts';
import type { ExplainedWord } from '../explanation.ts';
import { isContentWord } from './scenes.ts';
import { areaUnderRoc, type Estimate, resampled } from './statistics.ts';

/** A word and how likely it is, summed over its pieces. */
export interface LikelyWord extends Pick<ExplainedWord, 'text' | 'logprob' | 'dependence'> {
  /** Natural log of its probability with all image tokens zero: what language alone expects. */
  readonly prior: number;
}

/** A content word of a caption. */
export interface JudgedWord extends Omit<LikelyWord, 'text'> {
  readonly isInvented: boolean;
}

/** The content words of a caption; one is invented where no reference has a word of its stem. */
export function judgeWords(
  words: readonly LikelyWord[],
  references: readonly string[],
): JudgedWord[] {
  const known = new Set(
    references.flatMap((text) =>
      splitWords(text.toLowerCase().replaceAll(/[^a-z]+/g, ' ')).map(englishStem),
    ),
  );
  return words
    .filter(isContentWord)
    .map(({ text, ...likely }) => ({ ...likely, isInvented: !known.has(englishStem(text)) }));
}

export interface InventedReport {
  readonly words: number;
  readonly invented: number;
  /** Areas under the ROC curve: how often an invented word scores below another. */
  readonly dependence: Estimate;
  readonly probability: Estimate;
  /** By how much likelier it is than by language alone. */
  readonly gain: Estimate;
  /**
   * By a logistic regression on three log-probabilities: with the picture, with its mean, by language alone. It is fitted
   * to nine tenths of the pictures and says something of the tenth alone.
   */
  readonly fitted: Estimate;
  /** Dependence less probability, by the same images. */
  readonly difference: Estimate;
  /** Fitted less probability, likewise. */
  readonly fittedDifference: Estimate;
}

const folds = 10;

/** How likely each word is no invention, by a fit to other pictures' words. */
export function fittedScores(images: readonly (readonly JudgedWord[])[]): number[][] {
  // No weight is below 0: by language alone a word is the likelier invented.
  const featuresOf = ({ logprob, dependence, prior }: JudgedWord): number[] => [
    logprob,
    logprob - dependence,
    -prior,
  ];
  const maps = Array.from({ length: Math.min(folds, images.length) }, (_, fold) => {
    const others = images.filter((_, image) => image % folds !== fold).flat();
    return fitLogistic(
      others.map(featuresOf),
      others.map(({ isInvented }) => !isInvented),
    );
  });
  return images.map((words, image) =>
    words.map((word) => mapProbability(maps[image % folds], featuresOf(word))),
  );
}

/** @param images the content words of each picture's caption */
export function reportInvented(
  images: readonly (readonly JudgedWord[])[],
  seed: number,
): InventedReport {
  const areaBy =
    (score: (word: JudgedWord, image: number, place: number) => number) =>
    (chosen: readonly number[]): number => {
      const words = chosen.flatMap((image) =>
        images[image].map((word, place) => ({ ...word, score: score(word, image, place) })),
      );
      return areaUnderRoc(
        words.map((word) => -word.score),
        words.map(({ isInvented }) => isInvented),
      );
    };
  const scores = fittedScores(images);
  const dependence = areaBy((word) => word.dependence);
  const probability = areaBy((word) => word.logprob);
  const gain = areaBy((word) => word.logprob - word.prior);
  const fitted = areaBy((_, image, place) => scores[image][place]);
  const all = images.flat();
  const of = (area: (chosen: readonly number[]) => number): Estimate =>
    resampled(images.length, area, seed);
  return {
    words: all.length,
    invented: all.filter(({ isInvented }) => isInvented).length,
    dependence: of(dependence),
    probability: of(probability),
    gain: of(gain),
    fitted: of(fitted),
    difference: of((chosen) => dependence(chosen) - probability(chosen)),
    fittedDifference: of((chosen) => fitted(chosen) - probability(chosen)),
  };
}
