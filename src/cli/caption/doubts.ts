/** Captions of less confidence than `refcap caption --min-confidence` asks for. */
import { UsageError } from '../../base/errors.ts';
import { plural } from '../../base/plural.ts';
import type { Captioner } from '../../caption/captioner.ts';
import type { RunCounts } from '../../caption/run.ts';
import type { CaptionFlags } from './flags.ts';

/** @throws UsageError where --min-confidence is asked of a model that was not calibrated */
export function checkConfidence(
  { confidence }: Captioner,
  { minConfidence, model }: CaptionFlags,
): void {
  if (minConfidence !== undefined && !confidence)
    throw new UsageError(
      `--min-confidence: ${model} has no confidence; refcap calibrate gives it one, from pictures with captions.`,
    );
}

/** The pictures that were left out, as they came. */
export function doubtLines(
  { doubtful }: RunCounts,
  listed: readonly string[],
  { minConfidence }: CaptionFlags,
): string[] {
  if (doubtful === 0) return [];
  const more = doubtful - listed.length;
  const what = plural(doubtful, 'doubtful picture');
  return [
    `${what}, below a confidence of ${minConfidence}, left out:`,
    ...listed,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}
