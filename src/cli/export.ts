/** `refcap export`: a model as ONNX files that other programs run. */
import { Command, Option } from '@commander-js/extra-typings';
import { UsageError } from '../base/errors.ts';
import { type SplitName, splitNames } from '../data/datasets/dataset.ts';
import type { ExportCheck, ExportError } from '../export/check.ts';
import { exportModel } from '../export/export.ts';
import { type LayoutName, layoutNames } from '../export/layouts.ts';
import type { OpenOptions } from '../export/open.ts';
import { exportForWeb, webDtypes } from '../export/web/export.ts';
import { type ExportDtype, exportDtypes } from '../export/weights.ts';
import {
  baseOption,
  type HubFlags,
  hubOptions,
  offlineOption,
  revisionOption,
  verboseOption,
} from './options/hub.ts';
import { membersOption } from './options/model.ts';
import { positive } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends HubFlags {
  layout: LayoutName | 'web';
  dtype: ExportDtype;
  members?: number;
  imageSize?: number;
  check?: string;
  checkSplit?: SplitName;
  checkLimit?: number;
}

const examples = `
Examples:
  refcap export refcap-small web/models/refcap-small       for transformers.js, in Node or a browser
  refcap export refcap-small onnx/ --layout onnx           for ONNX Runtime in any language
  refcap export refcap-small site/model --layout web --dtype int8    for refcap/web, in a browser`;

export const command = new Command('export')
  .summary('write a model for other programs, and for pages')
  .description(
    "Write a model as ONNX files, for transformers.js or as a plain pair of encoder and decoder, or as a folder that refcap's own code in a page fetches.",
  )
  .argument('<model>', 'model folder or file, bundled model, or hub id')
  .argument('<output>', 'folder to write; it must not hold anything yet')
  .addOption(
    new Option('--layout <name>', 'for whom the files are')
      .choices([...layoutNames, 'web'] as const)
      .default('transformers.js'),
  )
  .addOption(
    new Option('--dtype <dtype>', 'format of the weights').choices(exportDtypes).default('f32'),
  )
  .addOption(membersOption())
  .option('--image-size <pixels>', 'interpolate the position embeddings for another size', positive)
  .option('--check <pictures>', 'compare captions with the model itself on a folder of pictures')
  .addOption(
    new Option(
      '--check-split <name>',
      'of a dataset given to --check: compare CIDEr-D as well',
    ).choices(splitNames),
  )
  .option('--check-limit <n>', 'the first so many pictures alone', positive)
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addHelpText('after', examples)
  .action(run);

async function run(model: string, output: string, flags: Flags): Promise<void> {
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
  flags: Flags & { readonly layout: LayoutName },
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
  { dtype: wanted, check, checkSplit, checkLimit }: Flags,
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
  { check: pictures, checkSplit, checkLimit }: Flags,
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
