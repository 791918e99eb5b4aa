/** The work of `refcap export`: writes the files, and compares captions where that is asked for. */

import { UsageError } from '../../base/errors.ts';
import type { SplitName } from '../../data/datasets/dataset.ts';
import type { ExportCheck, ExportError } from '../../export/check.ts';
import { exportModel } from '../../export/export.ts';
import type { ExportDtype, LayoutName } from '../../export/names.ts';
import type { OpenOptions } from '../../export/open.ts';
import { exportForWeb, webDtypes } from '../../export/web/export.ts';
import { type HubFlags, hubOptions } from '../options/hub.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';

export interface ExportFlags extends HubFlags {
  layout: LayoutName | 'web';
  dtype: ExportDtype;
  members?: number;
  imageSize?: number;
  check?: string;
  checkSplit?: SplitName;
  checkLimit?: number;
}

/** @throws InputError where the model cannot be opened, or the output folder is taken */
export async function runExport(model: string, output: string, flags: ExportFlags): Promise<void> {
  const { layout, members, imageSize } = flags;
  const open = {
    ...(members !== undefined && { members }),
    ...(imageSize !== undefined && { imageSize }),
  };
  await interruptible(async (signal) => {
    const options = { ...open, hub: hubOptions(flags, signal), signal };
    if (layout === 'web') await runForWeb(model, output, flags, options);
    else await runAsOnnx(model, output, { ...flags, layout }, options);
    console.log(output);
  }, '; an export that is there is whole.');
}

async function runAsOnnx(
  model: string,
  output: string,
  flags: ExportFlags & { readonly layout: LayoutName },
  options: OpenOptions,
): Promise<void> {
  const { layout, dtype } = flags;
  const progress = new ProgressLine();
  const check = checkOf(flags, progress);
  const given = { ...options, layout, dtype, ...(check && { check }) };
  const { files, error } = await exportModel(model, output, given).finally(() => progress.clear());
  for (const { path, bytes, hasDataFile } of files)
    console.error(
      `${path}: ${megabytes(bytes)}${hasDataFile ? `, most of it in ${path}_data` : ''}`,
    );
  if (error) describeError(dtype, error);
}

async function runForWeb(
  model: string,
  output: string,
  { dtype: wanted, check, checkSplit, checkLimit }: ExportFlags,
  options: OpenOptions,
): Promise<void> {
  const dtype = webDtypes.find((name) => name === wanted);
  if (!dtype)
    throw new UsageError(`dtype ${wanted}: for the layout web there are ${webDtypes.join(', ')}.`);
  if ([check, checkSplit, checkLimit].some((flag) => flag !== undefined))
    throw new UsageError(
      '--check is of exports to ONNX; what the layout web writes is a model that `refcap evaluate` takes.',
    );
  const files = await exportForWeb(model, output, { ...options, dtype });
  const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  console.error(`${Object.keys(files).length} files: ${megabytes(bytes)}`);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function checkOf(
  { check: pictures, checkSplit, checkLimit }: ExportFlags,
  progress: ProgressLine,
): ExportCheck | undefined {
  if (pictures === undefined) {
    if (checkSplit !== undefined || checkLimit !== undefined)
      throw new UsageError(
        '--check-split and --check-limit say which pictures of --check; give it',
      );
    return undefined;
  }
  return {
    pictures,
    ...(checkSplit !== undefined && { split: checkSplit }),
    ...(checkLimit !== undefined && { limit: checkLimit }),
    onCaptioned: (done, total) => progress.reach(done, total),
  };
}

function describeError(dtype: ExportDtype, error: ExportError): void {
  const { pictures, unreadable, changed, cider } = error;
  const left = unreadable > 0 ? ` (${unreadable} cannot be read)` : '';
  console.error(`${dtype}: ${changed} of ${pictures} greedy captions change${left}`);
  if (!cider) return;
  const { difference, low, high } = cider.difference;
  const sign = (x: number) => `${x < 0 ? '-' : '+'}${Math.abs(x).toFixed(4)}`;
  console.error(
    `CIDEr-D ${cider.model.toFixed(4)}, ${sign(difference)} as exported (95 % interval ${sign(low)} to ${sign(high)})`,
  );
}
