/** `refcap caption --shards`: a task's shards, each captioned into an object of its own. */
import { UsageError } from '../../base/errors.ts';
import { version } from '../../base/version.ts';
import { captionOptions, type GenerationFlags } from '../../caption/command-options.ts';
import type { RunOutcome } from '../../caption/run.ts';
import { isRemote, isShardName } from '../../data/shards/address.ts';
import { expandShards } from '../../data/shards/expand.ts';
import { bundledModel } from '../../hub/bundled.ts';
import { modelFingerprint } from '../../model/checkpoint/fingerprint.ts';
import { captionShards, type ShardCounts } from '../../scale/caption-shards.ts';
import { folderStore } from '../../scale/output/folder.ts';
import { remoteStore } from '../../scale/output/store.ts';
import type { OutputSettings } from '../../scale/settings.ts';
import { shardsOfTask, taskOf } from '../../scale/task.ts';
import { loadCaptioner, type ModelFlags } from '../options/captioner.ts';
import { type DecodeFlags, decodeOptions } from '../options/decode.ts';
import { hubOptions } from '../options/hub.ts';
import { drawOptions, type StyleFlags, withStyle } from '../options/style.ts';
import { formatRate, ProgressLine } from '../terminal/progress.ts';

export interface ShardFlags extends GenerationFlags, StyleFlags, ModelFlags, DecodeFlags {
  readonly shards?: readonly string[];
  readonly task?: number;
  readonly tasks?: number;
  readonly output?: string;
  readonly imageColumn?: string;
  readonly batchSize: number;
}

/** Failures that are listed. */
const mostListed = 1000;

/** Captions the shards that are this task's. @returns whether some pictures or shards failed */
export async function runShards(flags: ShardFlags, signal: AbortSignal): Promise<boolean> {
  const { output, quiet, batchSize } = flags;
  if (output === undefined)
    throw new UsageError(
      '--shards needs --output, a folder or an address such as s3://bucket/captions.',
    );
  const shards = await ownShards(flags);
  const store = isRemote(output) ? remoteStore(output, { signal }) : await folderStore(output);
  using captioner = await loadCaptioner({ ...flags, workers: flags.workers ?? 1 }, signal);
  const options = {
    ...captionOptions(flags, captioner.defaults),
    ...(flags.words && { dependence: true }),
    decode: decodeOptions(flags),
  };
  captioner.check(options);
  const draws = drawOptions(flags, options);
  if (draws) captioner.check(draws);
  const progress = new ProgressLine();
  const failures: string[] = [];
  const onDone = (outcome: RunOutcome): void => {
    if (!quiet) progress.advance();
    if (outcome.kind === 'failed' && failures.length < mostListed)
      failures.push(outcome.error.message);
  };
  const counts = await captionShards(captioner, shards, store, {
    options,
    batchSize,
    settings: await settingsOf(flags, options, signal),
    ...(flags.imageColumn !== undefined && { columns: { image: flags.imageColumn } }),
    through: (sink) => withStyle(sink, flags),
    ...(draws && { draws }),
    signal,
    onDone,
  }).finally(() => progress.clear());
  if (!quiet) console.error(summary(counts, progress.seconds));
  for (const failure of failures) console.error(`refcap: ${failure}`);
  if (counts.failed > failures.length)
    console.error(`refcap: and ${counts.failed - failures.length} more`);
  return counts.failed > 0;
}

async function ownShards(flags: ShardFlags): Promise<string[]> {
  const task = taskOf(flags, process.env);
  const all: string[] = [];
  for (const name of flags.shards ?? []) {
    if (!isShardName(name))
      throw new UsageError(`--shards ${name}: shards end in .tar, .zip or .parquet.`);
    all.push(...(await expandShards(name)));
  }
  return shardsOfTask(all, task);
}

/** All flags on which the captions depend; machines may differ in the others. */
const deciding = [
  ...['quantize', 'imageSize', 'keepRefiner', 'members', 'device', 'batchSize', 'words'],
  ...['maxPixels', 'maxBytes', 'allowSvg', 'imageColumn'],
  ...['neutralPeople', 'prefix', 'suffix', 'sentence', 'template', 'keywords'],
] as const;

async function settingsOf(
  flags: ShardFlags,
  { decode: _, ...generation }: ReturnType<typeof captionOptions>,
  signal: AbortSignal,
): Promise<OutputSettings> {
  const { model = bundledModel, members } = flags;
  const given = Object.entries(flags).filter(([name]) =>
    deciding.some((deciding) => deciding === name),
  );
  return {
    refcap: version(),
    model: await modelFingerprint(model, { hub: hubOptions(flags, signal), members }),
    options: { ...generation, ...Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

function summary({ captioned, failed, shards }: ShardCounts, seconds: number): string {
  const parts = Object.entries(shards).filter(([, count]) => count > 0);
  const of = parts.map(([what, count]) => `${count} ${what}`).join(', ') || 'none for this task';
  const rate = captioned > 1 ? `, ${formatRate(captioned / seconds)}` : '';
  const pictures = `${captioned} pictures captioned${failed > 0 ? `, ${failed} failed` : ''}`;
  return `shards: ${of}; ${pictures} in ${seconds.toFixed(1)} s${rate}`;
}
