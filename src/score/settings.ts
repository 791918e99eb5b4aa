/** The settings of a run as its report states them. */
import type { References } from '../data/captions/captions.ts';
import type { Match } from '../data/captions/match.ts';
import type { ScoreInput } from './input.ts';
import type { ScoreFilesOptions } from './options.ts';
import type { SystemReport } from './report.ts';
import type { Selection } from './selection.ts';

/** What the scores depend on, for whoever reads them later. */
export function settingsOf(
  { references, match, systems }: ScoreInput,
  { families, diversity }: Selection,
  options: ScoreFilesOptions,
  system: number,
): Record<string, unknown> {
  const { tokenized } = options;
  const tokenizer = (done: boolean | undefined): string =>
    done ? 'none, the text is tokenized' : 'PTB, lower case, without punctuation';
  return {
    candidates: systems[system].name,
    references: references.name,
    ...(options.splits && { splits: options.splits }),
    ...(options.images !== undefined && { images: options.images }),
    ...(options.allowMissing && { allow_missing: true }),
    references_per_image: referencesPerImage(references, match),
    tokenizer: {
      candidates: tokenizer(tokenized?.candidates),
      references: tokenizer(tokenized?.references),
    },
    ...(families.includes('meteor') && {
      METEOR: {
        version: '1.5',
        modules: `exact, stem, synonym${options.paraphrases === undefined ? '' : ', paraphrase'}`,
        paraphrase_table: options.paraphrases ?? null,
      },
    }),
    ...(families.includes('cider') && {
      CIDEr: {
        document_frequencies: options.frequencies ?? 'references',
        ...(options.frequencies === undefined && { documents: match.images.length }),
      },
    }),
    ...(diversity && options.training !== undefined && { training_captions: options.training }),
    ...((options.bootstrap ?? 0) > 0 && {
      bootstrap: {
        resamples: options.bootstrap,
        confidence: options.confidence ?? 0.95,
        seed: options.seed ?? 0,
      },
    }),
  };
}

/** Without the files that were there for the scoring alone. */
export function lastingSettings({
  settings,
}: Pick<SystemReport, 'settings'>): Readonly<Record<string, unknown>> {
  const { candidates: _candidates, references: _references, ...lasting } = settings;
  return lasting;
}

/** Fewest and most references of an image; CIDEr and METEOR rise with them. */
function referencesPerImage(
  { first }: References,
  { images }: Match,
): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const image of images) {
    const count = first[image + 1] - first[image];
    least = Math.min(least, count);
    most = Math.max(most, count);
  }
  return { least, most };
}
