/** The work of `refcap calibrate`: the fit, its table and its diagram. */

import { writeFileAtomic } from '../../base/files.ts';
import { alignedLines } from '../../base/table.ts';
import type { ConfidenceConfig } from '../../confidence/config.ts';
import type { SplitName } from '../../data/datasets/dataset.ts';
import { calibrateModel } from '../../evaluate/calibrate/calibrate.ts';
import { type ReliabilitySeries, reliabilityDiagram } from '../../pages/reliability.ts';
import { captionerOptions, type ModelFlags } from '../options/captioner.ts';
import { type DatasetFlags, readingOf } from '../options/dataset.ts';
import { checkOutputFile } from '../options/output-file.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';

export interface CalibrateFlags
  extends DatasetFlags,
    Pick<ModelFlags, 'members' | 'device' | 'threads'> {
  data: string[];
  split: SplitName;
  plot?: string;
  limit?: number;
  folds: number;
  seed: number;
  batchSize: number;
  format: 'table' | 'json';
}

/** @throws InputError where the model or the data cannot be used */
export async function runCalibrate(model: string, flags: CalibrateFlags): Promise<void> {
  const { data, split, plot, limit, seed, batchSize } = flags;
  if (plot !== undefined) await checkOutputFile(plot, true);
  const progress = new ProgressLine();
  const work = async (signal: AbortSignal): Promise<void> => {
    const config = await calibrateModel({
      model,
      data,
      reading: readingOf(flags),
      split,
      ...(limit !== undefined && { limit }),
      folds: flags.folds,
      seed,
      batchSize,
      // Progress and Ctrl-C go on while the model works.
      captioner: captionerOptions({ ...flags, workers: 1 }),
      signal,
      onNote: (note) => console.error(`refcap: ${note}`),
      onCaptioned: (done, total) => progress.reach(done, total),
    }).finally(() => progress.clear());
    const title = `How often captions of ${model} are right, by their confidence`;
    if (plot !== undefined) await writeFileAtomic(plot, reliabilityDiagram(title, series(config)));
    process.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(config, null, 2)}\n` : table(config),
    );
    console.error(`refcap: the confidence is written into the config.json of ${model}`);
  };
  await interruptible(work, '; nothing was written.');
}

/** All pictures, and each source where there are several. */
function series({ reliability }: ConfidenceConfig): ReliabilitySeries[] {
  if (!reliability) return [];
  const { all, sources } = reliability;
  const named = sources.map(({ name, ...own }) => ({ name, reliability: own }));
  return named.length === 1 ? named : [{ name: 'all', reliability: all }, ...named];
}

function table(config: ConfidenceConfig): string {
  const all = series(config);
  const sources = all.map(({ name, reliability: { images, right, error, low, high, chance } }) => [
    name,
    String(images),
    right.toFixed(3),
    error.toFixed(3),
    `${low.toFixed(3)} to ${high.toFixed(3)}`,
    chance.toFixed(3),
  ]);
  const bins = all[0].reliability.bins.map(({ confidence, right, images }) => [
    confidence.toFixed(3),
    right.toFixed(3),
    String(images),
  ]);
  const heads = ['source', 'pictures', 'right', 'calibration error', '95 % interval', 'by chance'];
  const lines = [
    ...alignedLines([heads, ...sources], () => false),
    '',
    ...alignedLines([['confidence', 'right', 'pictures'], ...bins], () => false),
  ];
  return `${lines.join('\n')}\n`;
}
