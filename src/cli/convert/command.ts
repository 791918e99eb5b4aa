/** `refcap convert`: any checkpoint into transformers' layout. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { savedDtypes } from '../../model/checkpoint/dtypes.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';

function pixels(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('not a number of pixels.');
  return value;
}

export const command = new Command('convert')
  .summary('save any checkpoint in the layout of transformers')
  .description(
    'Read a checkpoint (safetensors, sharded or not, pytorch_model.bin, or the original .pth) and save it in the layout of transformers.',
  )
  .argument('<model>', 'model folder or file, bundled model, or hub id')
  .argument('<output>', 'folder to write; it must not hold anything yet')
  .addOption(
    new Option('--dtype <dtype>', 'format of the weights').choices(savedDtypes).default('f32'),
  )
  .addOption(
    new Option('--quantize <kind>', 'keep weights in 8 bits, which only refcap opens')
      .choices(['int8'] as const)
      .conflicts('dtype'),
  )
  .option(
    '--image-size <pixels>',
    'interpolate the position embeddings for another image size',
    pixels,
  )
  .option('--overwrite', 'replace a model folder that exists')
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .action(async (model, output, flags) => {
    const { runConvert } = await import('./run.ts');
    await runConvert(model, output, flags);
  });
