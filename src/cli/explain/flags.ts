/** The flags of `refcap explain`, and which of them go together. */
import { UsageError } from '../../base/errors.ts';
import type { SplitName } from '../../data/datasets/dataset.ts';
import { type MeasureName, measureNames } from '../../explain/evaluate/measures.ts';
import type { MethodName } from '../../explain/methods/names.ts';
import type { ModelFlags } from '../options/captioner.ts';
import type { DatasetFlags } from '../options/dataset.ts';
import { formatOfOutput } from '../options/output-file.ts';
import type { Format } from './formats.ts';

/** Those of `--evaluate`. */
export interface EvaluationFlags extends DatasetFlags {
  data?: string;
  split: SplitName;
  entities?: string;
  measures?: MeasureName[];
  methods?: MethodName[];
  limit?: number;
  perPicture: number;
  oracle: number;
  seed: number;
}

export interface ExplainFlags extends ModelFlags, EvaluationFlags {
  caption?: string;
  method?: MethodName;
  beams?: number;
  format?: Format;
  output?: string;
  overwrite?: true;
  recursive?: true;
  evaluate?: true;
}

/** Where a flag was written, and is not its default. */
export type IsGiven = (name: keyof ExplainFlags) => boolean;

type Names = readonly (readonly [name: keyof ExplainFlags, written: string])[];

/** What `--evaluate` alone uses. */
const ofEvaluation: Names = [
  ['data', '--data'],
  ['images', '--images'],
  ['imageColumn', '--image-column'],
  ['captionColumn', '--caption-column'],
  ['split', '--split'],
  ['entities', '--entities'],
  ['measures', '--measures'],
  ['methods', '--methods'],
  ['limit', '--limit'],
  ['perPicture', '--per-picture'],
  ['oracle', '--oracle'],
];

/** What it does not use. */
const ofPictures: Names = [
  ['caption', '--caption'],
  ['method', '--method'],
  ['beams', '--beams'],
  ['recursive', '--recursive'],
];

/** What one measure alone uses. */
const ofMeasures: Readonly<Record<MeasureName, Names>> = {
  pointing: [
    ['entities', '--entities'],
    ['perPicture', '--per-picture'],
  ],
  faithfulness: [['oracle', '--oracle']],
  sanity: [],
  invented: [],
};

const endings = { '.html': 'html', '.htm': 'html', '.json': 'json', '.png': 'png' } as const;

/**
 * What is written, and where.
 * @throws UsageError for flags that do not go together: none is ignored
 */
export function checkFlags(
  inputs: readonly string[],
  flags: ExplainFlags,
  isGiven: IsGiven,
): { format: Format; output: string | undefined } {
  const given = formatOfOutput<Format>(flags.output, flags.format, endings);
  if (flags.evaluate) {
    checkEvaluation(inputs, flags, isGiven);
    if (given !== undefined && given !== 'json')
      throw new UsageError('--evaluate prints a table and writes json: leave out --format.');
    return { format: 'json', output: flags.output };
  }
  const other = written(ofEvaluation, isGiven);
  if (other) throw new UsageError(`${other}: for --evaluate alone; leave out, or add --evaluate.`);
  if (flags.caption !== undefined && flags.beams !== undefined)
    throw new UsageError('--caption is explained as it is, without a search: leave out --beams.');
  if (inputs.length === 0) throw new UsageError('name a picture (or --evaluate with --data).');
  const format = given ?? 'html';
  return {
    format,
    output: flags.output ?? (format === 'json' ? undefined : `refcap-explain.${format}`),
  };
}

/** @throws UsageError */
function checkEvaluation(
  inputs: readonly string[],
  { data, entities, beams, ...flags }: ExplainFlags,
  isGiven: IsGiven,
): void {
  if (data === undefined) throw new UsageError('--evaluate needs --data.');
  if (inputs.length > 0)
    throw new UsageError('--evaluate takes its pictures and captions from --data alone.');
  const measures: readonly MeasureName[] = flags.measures ?? measureNames;
  if (beams !== undefined)
    throw new UsageError(
      '--evaluate measures what the model writes by its own defaults: leave out --beams.',
    );
  const other = written(ofPictures, isGiven);
  if (other)
    throw new UsageError(
      `${other}: not for --evaluate, which takes pictures and captions from --data and methods from --methods; leave out.`,
    );
  if (entities === undefined && isGiven('perPicture'))
    throw new UsageError('--per-picture is of captions that point: add --entities, or leave out.');
  for (const measure of measureNames) {
    const unused = measures.includes(measure) ? undefined : written(ofMeasures[measure], isGiven);
    if (unused) throw new UsageError(`${unused}: for --measures ${measure}, which is left out.`);
  }
  if (isGiven('measures') && measures.includes('pointing') && entities === undefined)
    throw new UsageError('--measures pointing needs --entities.');
}

/** Those that were written, one after the other. */
function written(names: Names, isGiven: IsGiven): string | undefined {
  const found = names.filter(([name]) => isGiven(name)).map(([, flag]) => flag);
  return found.length > 0 ? found.join(', ') : undefined;
}
