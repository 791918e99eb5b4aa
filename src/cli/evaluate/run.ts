/** The work of `refcap evaluate`: the evaluation, and its table. */

import { alignedLines } from '../../base/table.ts';
import { type GenerationFlags, givenOptions } from '../../caption/command-options.ts';
import type { Reliability } from '../../confidence/config.ts';
import type { SplitName } from '../../data/datasets/dataset.ts';
import { type Evaluation, evaluateModel } from '../../evaluate/evaluate.ts';
import { scoreHeading } from '../../metrics/registry.ts';
import { captionerOptions, type ModelFlags } from '../options/captioner.ts';
import { type DatasetFlags, readingOf } from '../options/dataset.ts';
import { hubOptions } from '../options/hub.ts';
import { checkLengths } from '../options/lengths.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';

export interface EvaluateFlags
  extends DatasetFlags,
    Omit<GenerationFlags, 'seed'>,
    Pick<ModelFlags, 'keepRefiner' | 'members' | 'quantize' | 'imageSize' | 'device' | 'threads'> {
  base?: string;
  data: string;
  split: SplitName;
  output?: string;
  overwrite?: true;
  batchSize: number;
  frames?: number;
  limit?: number;
  bootstrap: number;
  seed: number;
  format: 'table' | 'json';
}

/** @throws InputError where the model, the data or the output folder cannot be used */
export async function runEvaluate(model: string, flags: EvaluateFlags): Promise<void> {
  checkLengths(flags);
  const { data, split, output = `evaluation-${split}`, limit } = flags;
  const progress = new ProgressLine();
  const work = async (signal: AbortSignal): Promise<void> => {
    const evaluation = await evaluateModel({
      model,
      data,
      reading: readingOf(flags),
      split,
      output,
      overwrite: flags.overwrite ?? false,
      captioner: {
        // Progress and Ctrl-C go on while the model works.
        ...captionerOptions({ ...flags, workers: 1 }),
        hub: hubOptions(flags, signal),
      },
      // The seed is that of the resamples.
      decoding: givenOptions({ ...flags, seed: undefined }),
      batchSize: flags.batchSize,
      ...(flags.frames !== undefined && { frames: flags.frames }),
      ...(limit !== undefined && { limit }),
      bootstrap: flags.bootstrap,
      seed: flags.seed,
      signal,
      onNote: (note) => console.error(`refcap: ${note}`),
      onCaptioned: (done, total) => progress.reach(done, total),
    }).finally(() => progress.clear());
    process.stdout.write(
      flags.format === 'json' ? `${JSON.stringify(evaluation, null, 2)}\n` : table(evaluation),
    );
    console.error(`refcap: written to ${output}`);
  };
  await interruptible(work, '; nothing was written.');
}

function table(evaluation: Evaluation): string {
  const { metrics, intervals, singleReference, throughput, data, confidence } = evaluation;
  const rows = Object.entries(metrics).map(([name, value]) => {
    const { low, high } = intervals[name] ?? {};
    const interval = low === undefined || high === undefined ? '' : `${show(low)} to ${show(high)}`;
    const single = singleReference[name];
    return [scoreHeading(name), show(value), interval, single === undefined ? '' : show(single)];
  });
  const { imagesPerSecond, peakMiB } = throughput;
  return [
    ...alignedLines(
      [['metric', 'score', '95 % interval', 'single references'], ...rows],
      () => false,
    ).map((line) => `${line}\n`),
    '\n',
    ...(confidence ? [`${truthOf(confidence)}\n`] : []),
    `${data.images} images of ${data.split}, ${imagesPerSecond.toFixed(1)} a second, peak memory ${peakMiB.toFixed(0)} MiB\n`,
  ].join('');
}

function truthOf({ right, error, low, high, chance }: Reliability): string {
  return `main noun right in ${(100 * right).toFixed(1)} %; calibration error of the confidence ${error.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}; ${chance.toFixed(3)} by chance)`;
}

function show(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4);
}
