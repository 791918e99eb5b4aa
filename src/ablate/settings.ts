/** What an ablation is asked to do: a file's settings under the command line's. */
import * as z from 'zod';
import { UsageError } from '../base/errors.ts';
import { type SplitName, splitNames } from '../data/datasets/dataset.ts';
import type { DatasetOptions } from '../data/datasets/read.ts';
import type { TrainConfig } from '../train/config/config.ts';
import type { Settings } from '../train/config/file.ts';
import { resolveVariants } from './variants.ts';

const text = z.string().min(1);

const requestSchema = z.object({
  data: text.optional(),
  tower: text.optional(),
  model: text.optional(),
  output: text.optional(),
  split: z.enum(splitNames).default('dev'),
  seeds: z.int('must be a whole number').positive('must be at least 1').default(3),
  cache: text.optional(),
  baseline: text.default('plain'),
  variants: z.record(z.string(), z.unknown()).optional(),
});

/** Names of the settings that are the ablation's; all others are settings of training. */
const ownNames: ReadonlySet<string> = new Set(Object.keys(requestSchema.shape));

export interface AblationRequest {
  readonly data: string;
  /** How the data are read, as the command line says. */
  readonly reading?: DatasetOptions;
  readonly start: { readonly tower: string } | { readonly model: string };
  readonly output: string;
  readonly split: SplitName;
  /** Seeds 1 to this number. */
  readonly seeds: number;
  /** Where image features are kept; default: `features` in the output folder. */
  readonly cache?: string;
  /** The variant that all others are compared with. */
  readonly baseline: string;
  /** All variants with their settings, in order. */
  readonly variants: ReadonlyMap<string, TrainConfig>;
  /** Those that are to be run, in the order of `variants`. */
  readonly chosen: readonly string[];
}

/** What the command line may say; it wins over the file. */
export interface AblationFlags {
  readonly data?: string;
  readonly tower?: string;
  readonly model?: string;
  readonly output?: string;
  readonly split?: string;
  readonly seeds?: number;
  readonly cache?: string;
  readonly baseline?: string;
  /** Names of variants to run. */
  readonly variants?: readonly string[];
}

/** @throws UsageError with a sentence about what is missing, unknown or wrong */
export function resolveAblation(file: Settings, flags: AblationFlags): AblationRequest {
  const { variants: wanted, ...given } = flags;
  // A start on the command line takes the place of any in the file.
  const isStartGiven = given.tower !== undefined || given.model !== undefined;
  const { tower: _tower, model: _model, ...withoutStart } = file;
  const parsed = requestSchema.safeParse({ ...(isStartGiven ? withoutStart : file), ...given });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`${issue.path.join('.')}: ${issue.message}.`);
  }
  const { data, tower, model, output, split, seeds, cache, baseline } = parsed.data;
  if (data === undefined)
    throw new UsageError('give --data (pictures with captions), or data in the file.');
  if (output === undefined)
    throw new UsageError('give --output (where the runs go), or output in the file.');
  const common = Object.fromEntries(Object.entries(file).filter(([name]) => !ownNames.has(name)));
  const variants = resolveVariants(common, parsed.data.variants);
  if (!variants.has(baseline))
    throw new UsageError(
      `baseline: there is no variant '${baseline}'; known: ${[...variants.keys()].join(', ')}.`,
    );
  return {
    data,
    start: startOf(tower, model),
    output,
    split,
    seeds,
    ...(cache !== undefined && { cache }),
    baseline,
    variants,
    chosen: chosenOf(wanted, [...variants.keys()]),
  };
}

function startOf(tower?: string, model?: string): AblationRequest['start'] {
  if (tower !== undefined && model !== undefined)
    throw new UsageError('tower and model: give one of the two, not both.');
  if (model !== undefined) return { model };
  if (tower !== undefined) return { tower };
  throw new UsageError(
    'give --model (a captioner to train further) or --tower (a vision tower for a fresh decoder), or one of them in the file.',
  );
}

function chosenOf(wanted: readonly string[] | undefined, known: readonly string[]): string[] {
  if (wanted?.length === 0)
    throw new UsageError(`--variants: name at least one of ${known.join(', ')}.`);
  for (const name of wanted ?? [])
    if (!known.includes(name))
      throw new UsageError(
        `--variants: there is no variant '${name}'; known: ${known.join(', ')}.`,
      );
  return known.filter((name) => wanted?.includes(name) ?? true);
}
