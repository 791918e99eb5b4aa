/** What `refcap caption` does, its flags checked. */
import { captionOptions } from '../../caption/command-options.ts';
import { countFinished, type Results } from '../../caption/finished.ts';
import { onlyNumbered } from '../../caption/output/numbered.ts';
import { type CaptionSink, fileSink, standardSink } from '../../caption/output/output.ts';
import { sidecarSink } from '../../caption/output/sidecar.ts';
import { captionRun, type RunCounts, type RunOutcome } from '../../caption/run.ts';
import { countInputs, type InputOptions, listInputs } from '../../caption/sources/inputs.ts';
import { describePassedOver } from '../../data/images/formats.ts';
import { fewPictures, loadCaptioner, suitableWorkers } from '../options/captioner.ts';
import { decodeOptions } from '../options/decode.ts';
import { metadataSink } from '../options/metadata.ts';
import { drawOptions, withStyle } from '../options/style.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { checkConfidence, doubtLines } from './doubts.ts';
import { type CaptionFlags, inputOptionsOf, isBeside } from './flags.ts';

/** @throws InputError where the model or an output cannot be opened */
export async function runCaption(inputs: readonly string[], flags: CaptionFlags): Promise<void> {
  const canResume = flags.output !== undefined || isBeside(flags.format);
  await interruptible(
    async (signal) => {
      if (flags.resume && (await isFinished(inputs, flags, signal))) return;
      const { counts, doubts, failures, passedOver } = await captionInputs(inputs, flags, signal);
      for (const doubt of doubtLines(counts, doubts, flags)) console.error(`refcap: ${doubt}`);
      const note = describePassedOver(passedOver);
      if (note !== undefined) console.error(`refcap: ${note}`);
      for (const failure of failures) console.error(`refcap: ${failure}`);
      const more = counts.failed - failures.length;
      if (more > 0) console.error(`refcap: and ${more} more`);
      if (counts.failed > 0) process.exitCode = 3;
    },
    canResume ? '. Run again with --resume to go on.' : '.',
  );
}

/** Whether nothing is left of a run that is to be resumed, which is then said. */
async function isFinished(
  inputs: readonly string[],
  flags: CaptionFlags,
  signal: AbortSignal,
): Promise<boolean> {
  const { output, format, numCaptions, quiet } = flags;
  // A list can be read once.
  if (inputs.includes('-')) return false;
  let results: Results = { kind: 'sidecars' };
  if (format !== 'sidecar') {
    if (output === undefined || format === 'xmp') return false;
    results = { kind: 'file', path: output, format };
  }
  const pictures = listInputs(inputs, inputOptionsOf(flags, signal));
  const count = await countFinished(pictures, results, numCaptions);
  if (count === undefined) return false;
  if (!quiet) console.error(`0 captioned, ${count} skipped: nothing was left to do`);
  return true;
}

/** Doubtful captions, and failures, that are kept to be listed. */
const mostListed = 1000;

async function captionInputs(
  inputs: readonly string[],
  flags: CaptionFlags,
  signal: AbortSignal,
): Promise<{ counts: RunCounts; doubts: string[]; failures: string[]; passedOver: string[] }> {
  const inputOptions = inputOptionsOf(flags, signal);
  const workers = flags.workers ?? (await workersFor(inputs, inputOptions));
  const concepts = flags.concepts === undefined ? undefined : await conceptsOf(flags.concepts);
  using captioner = await loadCaptioner({ ...flags, workers, conceptFile: concepts?.file }, signal);
  concepts?.check(captioner);
  const options = {
    ...captionOptions(flags, captioner.defaults),
    ...(flags.words && { dependence: true }),
    decode: decodeOptions(flags),
  };
  captioner.check(options);
  checkConfidence(captioner, flags);
  const draws = drawOptions(flags, options);
  if (draws) captioner.check(draws);
  const opened = withStyle(await openSink(flags, options.num_return_sequences ?? 1), flags);
  const sink = flags.skipCaptioned ? await skipDescribed(opened) : opened;
  const progress = new ProgressLine();
  if (!flags.quiet)
    countInputs(inputs, inputOptions).then(
      (total) => {
        progress.total = total;
      },
      () => undefined,
    );
  const doubts: string[] = [];
  const failures: string[] = [];
  const passedOver: string[] = [];
  const onDone = (outcome: RunOutcome): void => {
    if (outcome.kind === 'passedOver') {
      passedOver.push(outcome.name);
      return;
    }
    if (!flags.quiet) progress.advance(outcome.kind === 'skipped');
    if (outcome.kind === 'doubtful' && doubts.length < mostListed)
      doubts.push(`  ${outcome.name}\t${outcome.confidence.toFixed(2)}\t${outcome.caption}`);
    if (outcome.kind === 'failed' && failures.length < mostListed)
      failures.push(outcome.error.message);
  };
  const { batchSize, failFast = false, minConfidence } = flags;
  try {
    const counts = await captionRun(captioner, listInputs(inputs, inputOptions), sink, {
      options,
      batchSize,
      failFast,
      ...(draws && { draws }),
      ...(minConfidence !== undefined && { minConfidence }),
      ...(concepts?.scoresOf && { conceptsOf: concepts.scoresOf }),
      signal,
      onDone,
    });
    progress.clear();
    if (!flags.quiet) console.error(summary(counts, passedOver.length, progress.seconds));
    return { counts, doubts, failures, passedOver };
  } finally {
    progress.clear();
    await sink.finish();
  }
}

async function conceptsOf(path: string) {
  return (await import('../options/concepts.ts')).openConcepts(path);
}

async function skipDescribed(sink: CaptionSink): Promise<CaptionSink> {
  return (await import('../../caption/output/skipping.ts')).skippingDescribed(sink);
}

/** A list can be read once, and may go on for long. */
async function workersFor(inputs: readonly string[], options: InputOptions): Promise<number> {
  if (inputs.includes('-')) return 1;
  let count = 0;
  for await (const _ of listInputs(inputs, options)) if (++count > fewPictures) break;
  return suitableWorkers(count);
}

async function openSink(flags: CaptionFlags, candidates: number): Promise<CaptionSink> {
  const { format, output, resume = false, overwrite = false, batchSize } = flags;
  if (format === 'xmp') return metadataSink(flags, flags);
  if (format === 'sidecar')
    return sidecarSink({ resume, overwrite, candidates, batchSize }, flags.appendToExisting);
  const rows =
    output === undefined
      ? standardSink(format)
      : await fileSink(output, format, { resume, overwrite, candidates, batchSize });
  return format === 'coco' ? onlyNumbered(rows) : rows;
}

function summary(
  { captioned, doubtful, skipped, failed }: RunCounts,
  passedOver: number,
  seconds: number,
): string {
  const parts = [`${captioned} captioned`];
  if (doubtful > 0) parts.push(`${doubtful} doubtful`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (passedOver > 0) parts.push(`${passedOver} passed over`);
  const worked = captioned + doubtful;
  const rate = worked > 1 ? `, ${(worked / seconds).toFixed(1)} a second` : '';
  return `${parts.join(', ')} in ${seconds.toFixed(1)} s${rate}`;
}
