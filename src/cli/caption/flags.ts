/** The flags of `refcap caption`, and how they fit each other. */
import { UsageError } from '../../base/errors.ts';
import type { GenerationFlags } from '../../caption/command-options.ts';
import { type CaptionOutputFormat, formatEndings } from '../../caption/output/formats.ts';
import type { InputOptions } from '../../caption/sources/input.ts';
import type { ModelFlags } from '../options/captioner.ts';
import { checkLengths } from '../options/lengths.ts';
import { checkMetadataFlags, type MetadataFlags } from '../options/metadata.ts';
import { checkOutputFile, formatOfOutput } from '../options/output-file.ts';
import { checkStyleFlags, type StyleFlags } from '../options/style.ts';

export interface GivenCaptionFlags extends ModelFlags, GenerationFlags, MetadataFlags, StyleFlags {
  concepts?: string;
  batchSize: number;
  format?: CaptionOutputFormat;
  output?: string;
  recursive?: true;
  imageColumn?: string;
  shards?: string[];
  task?: number;
  tasks?: number;
  allowUrl?: true;
  allowSvg?: true;
  maxPixels?: number;
  maxBytes?: number;
  resume?: true;
  overwrite?: true;
  minConfidence?: number;
  failFast?: true;
  keepGoing?: true;
}

/** The format settled, which may be the output's own. */
export interface CaptionFlags extends GivenCaptionFlags {
  format: CaptionOutputFormat;
}

/** Whether results go to each picture's side, or into it. */
export function isBeside(format: CaptionOutputFormat): format is 'sidecar' | 'xmp' {
  return format === 'sidecar' || format === 'xmp';
}

export function formatOf({ output, format }: GivenCaptionFlags): CaptionOutputFormat {
  // COCO's results are JSON, too.
  if (format !== undefined && (isBeside(format) || format === 'coco')) return format;
  return formatOfOutput(output, format, formatEndings) ?? 'text';
}

/** @throws UsageError where shards, which say what is captioned, do not fit the rest */
export function checkShardFlags(inputs: readonly string[], flags: GivenCaptionFlags): void {
  if (inputs.length > 0)
    throw new UsageError(`--shards and other inputs (${inputs[0]}) exclude each other.`);
  checkLengths(flags);
  checkStyleFlags(flags, 'jsonl', false);
}

/** @throws UsageError where there is nothing to caption, or an option is of shards alone */
export function checkInputs(inputs: readonly string[], { task, tasks }: GivenCaptionFlags): void {
  if (task !== undefined || tasks !== undefined)
    throw new UsageError(`--${task === undefined ? 'tasks' : 'task'} needs --shards.`);
  if (inputs.length === 0)
    throw new UsageError('name the pictures to caption, or shards of them with --shards.');
}

export function checkCaptionFlags(flags: CaptionFlags): void {
  const { resume, overwrite, output, format } = flags;
  if (resume && overwrite) throw new UsageError('--resume and --overwrite exclude each other.');
  checkMetadataFlags(flags, format);
  checkStyleFlags(flags, format, (resume ?? overwrite) !== undefined);
  if (isBeside(format)) {
    if (output)
      throw new UsageError(`--format ${format} writes beside the pictures: leave out --output.`);
    if (overwrite && format === 'xmp')
      throw new UsageError(
        '--format xmp changes what is there: --existing overwrite, not --overwrite.',
      );
  } else if ((resume || overwrite) && !output)
    throw new UsageError(
      `--${resume ? 'resume' : 'overwrite'} needs --output (or --format sidecar).`,
    );
  checkLengths(flags);
}

/** Before the model is looked for, which may mean a download. */
export async function checkOutput({ output, resume, overwrite }: CaptionFlags): Promise<void> {
  if (output !== undefined)
    await checkOutputFile(
      output,
      resume ?? overwrite ?? false,
      `${output} exists; use --resume to go on with it or --overwrite to replace it.`,
    );
}

export function inputOptionsOf(flags: CaptionFlags, signal: AbortSignal): InputOptions {
  return {
    recursive: flags.recursive ?? false,
    allowUrl: flags.allowUrl ?? false,
    allowSvg: flags.allowSvg ?? false,
    ...(flags.imageColumn !== undefined && { columns: { image: flags.imageColumn } }),
    signal,
  };
}
