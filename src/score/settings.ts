/** The settings of a run as its report states them: everything that the scores depend on. */
import type { Tokenized } from '../metrics/corpus/chunk-scorer.ts';
import type { Selection } from '../metrics/selection.ts';

export interface ScoreSettings {
  selection: Selection;
  /** How many references each image has that is scored. */
  referenceCounts: readonly number[];
  tokenized?: Tokenized | undefined;
  /** Names of the files that were given. */
  paraphrases?: string | undefined;
  frequencies?: string | undefined;
  training?: string | undefined;
  bootstrap?: number | undefined;
  confidence?: number | undefined;
  seed?: number | undefined;
}

/** What the scores depend on but for the captions themselves, for whoever reads them later. */
export function settingsOf(settings: ScoreSettings): Record<string, unknown> {
  const { selection, referenceCounts, tokenized, paraphrases, frequencies, training } = settings;
  const { metrics, diversity } = selection;
  const tokenizer = (done: boolean | undefined): string =>
    done ? 'none, the text is tokenized' : 'PTB, lower case, without punctuation';
  return {
    references_per_image: range(referenceCounts),
    tokenizer: {
      candidates: tokenizer(tokenized?.candidates),
      references: tokenizer(tokenized?.references),
    },
    ...(metrics.includes('meteor') && {
      METEOR: {
        version: '1.5',
        modules: `exact, stem, synonym${paraphrases === undefined ? '' : ', paraphrase'}`,
        paraphrase_table: paraphrases ?? null,
      },
    }),
    ...(metrics.includes('cider') && {
      CIDEr: {
        document_frequencies: frequencies ?? 'references',
        ...(frequencies === undefined && { documents: referenceCounts.length }),
      },
    }),
    ...(diversity && training !== undefined && { training_captions: training }),
    ...((settings.bootstrap ?? 0) > 0 && {
      bootstrap: {
        resamples: settings.bootstrap,
        confidence: settings.confidence ?? 0.95,
        seed: settings.seed ?? 0,
      },
    }),
  };
}

/** Fewest and most references of an image; CIDEr and METEOR rise with them. */
function range(counts: readonly number[]): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const count of counts) {
    least = Math.min(least, count);
    most = Math.max(most, count);
  }
  return { least, most };
}
