/** `refcap export`: a model as ONNX files that other programs run. */
import { Command, Option } from '@commander-js/extra-typings';
import { exportModel } from '../export/export.ts';
import { type LayoutName, layoutNames } from '../export/layouts.ts';
import { type ExportDtype, exportDtypes } from '../export/weights.ts';
import { baseOption, type HubFlags, hubOptions, verboseOption } from './options/hub.ts';
import { positive } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';

interface Flags extends HubFlags {
  layout: LayoutName;
  dtype: ExportDtype;
  members?: number;
  imageSize?: number;
}

const examples = `
Examples:
  refcap export refcap-small web/models/refcap-small       for transformers.js, in Node or a browser
  refcap export refcap-small onnx/ --layout onnx           for ONNX Runtime in any language`;

export const command = new Command('export')
  .summary('write a model as ONNX files for other programs')
  .description(
    'Write a model as ONNX files: for transformers.js, or as a plain pair of encoder and decoder.',
  )
  .argument('<model>', 'model folder or file, bundled model, or hub id')
  .argument('<output>', 'folder to write; it must not hold anything yet')
  .addOption(
    new Option('--layout <name>', 'for whom the files are')
      .choices(layoutNames)
      .default('transformers.js'),
  )
  .addOption(
    new Option('--dtype <dtype>', 'format of the weights').choices(exportDtypes).default('f32'),
  )
  .option('--members <n>', 'of a model with several members, how many write together', positive)
  .option('--image-size <pixels>', 'interpolate the position embeddings for another size', positive)
  .option('--revision <name>', 'branch, tag or commit of a hub model')
  .option('--offline', 'use only models that are here already')
  .addOption(baseOption())
  .addOption(verboseOption())
  .addHelpText('after', examples)
  .action(run);

async function run(model: string, output: string, flags: Flags): Promise<void> {
  const { layout, dtype, members, imageSize } = flags;
  await interruptible(async (signal) => {
    const { files } = await exportModel(model, output, {
      layout,
      dtype,
      ...(members !== undefined && { members }),
      ...(imageSize !== undefined && { imageSize }),
      hub: hubOptions(flags, signal),
      signal,
    });
    for (const { path, bytes, hasDataFile } of files)
      console.error(
        `${path}: ${(bytes / 1e6).toFixed(1)} MB${hasDataFile ? `, most of it in ${path}_data` : ''}`,
      );
    console.log(output);
  }, '; nothing was written.');
}
