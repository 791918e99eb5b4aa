/** `refcap export`: a model as ONNX files that other programs run. */
import { Command, Option } from '@commander-js/extra-typings';
import { splitNames } from '../../data/datasets/dataset.ts';
import { exportDtypes, layoutNames } from '../../export/names.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';
import { membersOption } from '../options/model.ts';
import { positive } from '../options/values.ts';

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
  .action(async (model, output, flags) => {
    const { runExport } = await import('./run.ts');
    await runExport(model, output, flags);
  });
