/** Does visual dependence find words that the captioner invents? Those that no reference of the picture has. */
import { englishStem } from '../../metrics/words/stem-english.ts';
import { splitWords } from '../../metrics/words/words.ts';
import type { Explanation } from '../explanation.ts';
import { isContentWord } from './scenes.ts';
import { areaUnderRoc, type Estimate, resampled } from './statistics.ts';

/** A content word of a caption. */
export interface JudgedWord {
  readonly isInvented: boolean;
  readonly logprob: number;
  readonly dependence: number;
}

/** The content words of a caption; one is invented where no reference has a word of its stem. */
export function judgeWords(
  words: Explanation['words'],
  references: readonly string[],
): JudgedWord[] {
  const known = new Set(
    references.flatMap((text) =>
      splitWords(text.toLowerCase().replaceAll(/[^a-z]+/g, ' ')).map(englishStem),
    ),
  );
  return words.filter(isContentWord).map(({ text, logprob, dependence }) => ({
    isInvented: !known.has(englishStem(text)),
    logprob,
    dependence,
  }));
}

export interface InventedReport {
  readonly words: number;
  readonly invented: number;
  /** Areas under the ROC curve: how often an invented word scores below another. */
  readonly dependence: Estimate;
  readonly probability: Estimate;
  /** By the sum of both, in nats. */
  readonly together: Estimate;
  /** Dependence less probability, by the same images. */
  readonly difference: Estimate;
}

/** @param images the content words of each picture's caption */
export function reportInvented(
  images: readonly (readonly JudgedWord[])[],
  seed: number,
): InventedReport {
  const areaBy = (score: (word: JudgedWord) => number) => (chosen: readonly number[]) => {
    const words = chosen.flatMap((image) => images[image]);
    return areaUnderRoc(
      words.map((word) => -score(word)),
      words.map(({ isInvented }) => isInvented),
    );
  };
  const dependence = areaBy((word) => word.dependence);
  const probability = areaBy((word) => word.logprob);
  const together = areaBy((word) => word.logprob + word.dependence);
  const all = images.flat();
  const of = (area: (chosen: readonly number[]) => number): Estimate =>
    resampled(images.length, area, seed);
  return {
    words: all.length,
    invented: all.filter(({ isInvented }) => isInvented).length,
    dependence: of(dependence),
    probability: of(probability),
    together: of(together),
    difference: of((chosen) => dependence(chosen) - probability(chosen)),
  };
}
