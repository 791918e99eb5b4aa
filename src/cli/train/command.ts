/** `refcap train`: trains or fine-tunes a captioner on pictures with captions. */
import { Command, Option } from '@commander-js/extra-typings';
import { presetNames } from '../../train/config/names.ts';
import { wireDtypes } from '../../train/distributed/names.ts';
import {
  captionColumnOption,
  captionsOption,
  imageColumnOption,
  imagesOption,
} from '../options/dataset.ts';
import { baseOption, verboseOption } from '../options/hub.ts';
import { deviceOption, threadsOption } from '../options/model.ts';
import { number, repeated } from '../options/values.ts';

const examples = `
The run's folder holds config.json, metrics.jsonl, report.html (curves and sample captions),
checkpoints/, best/ and last/; the last two open with 'refcap caption --model'. Stop a run with Ctrl-C
and go on with --resume: the result is the same.

Examples:
  refcap train --data photos --tower efficientnet-lite0 --output run
  refcap train --data photos --model Salesforce/blip-image-captioning-base --output run --set lora.rank=8 --batch-size 4
  refcap train --data photos --tower efficientnet-lite0 --output run --config settings.yaml --resume
  refcap train --data photos --model run/best --stage scst --output run-scst
  refcap train --data 'shards/x-{000000..000123}.tar' --model run/best --output run-stream --stream
  refcap train --data coco --model Salesforce/blip-image-captioning-base --config recipes/coco.yaml --output run --plan
  mpirun -n 2 refcap train --data photos --tower efficientnet-lite0 --output run --distributed mpi --threads 1

Every setting of docs/training.md can be given in the --config file or as --set NAME=VALUE.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted with the state saved.`;

function blocks(text: string): number | 'all' {
  return text === 'all' ? text : number(text);
}

export const command = new Command('train')
  .summary('train or fine-tune a captioner')
  .description(
    'Train a captioner on pictures with captions: a BLIP checkpoint further, or a fresh decoder over a pretrained vision tower.',
  )
  .requiredOption('--data <source>', 'pictures with captions: a folder, a caption file or shards')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .option(
    '--stream',
    'read the training pictures of shards as they are needed, in a shuffled order, not all captions first',
  )
  .option('--no-dev', 'train without a dev split: training pictures are measured instead')
  .requiredOption('-o, --output <folder>', 'where the run goes')
  .addOption(
    new Option(
      '-m, --model <model>',
      'captioner to train further: folder, file, bundled name or hub id',
    ).conflicts(['tower', 'layers', 'width', 'heads']),
  )
  .option('--tower <folder>', 'pretrained vision tower for a fresh decoder')
  .addOption(
    new Option('--preset <name>', 'settings to start from (default: refcap)').choices(presetNames),
  )
  .option('--config <file>', 'settings from a YAML or JSON file')
  .option(
    '--set <name=value>',
    'one more setting, such as refinement.layers=2; may be repeated',
    repeated,
  )
  .addOption(
    new Option('--stage <stage>', 'what is learned from (default: cross-entropy)').choices([
      'cross-entropy',
      'scst',
    ]),
  )
  .option('--seed <n>', 'seed of weights, order, dropout and views (default: 1)', number)
  .option('--epochs <n>', 'passes over the training captions (default: 8)', number)
  .option('--max-steps <n>', 'end after so many steps', number)
  .option('--batch-size <n>', 'images a step (default: 32)', number)
  .option('--micro-batch <n>', 'images computed at once', number)
  .option('--memory-limit <GiB>', 'choose micro-batches that fit this memory', number)
  .option('--learning-rate <x>', 'peak learning rate', number)
  .option('--dropout <rate>', 'dropout of the decoder (default: 0.15)', number)
  .option('--layers <n>', 'layers of a fresh decoder (default: 2)', number)
  .option('--width <n>', 'width of a fresh decoder (default: 256)', number)
  .option('--heads <n>', 'attention heads of a fresh decoder (default: 8)', number)
  .option(
    '--vision-blocks <n>',
    "blocks of the tower that are trained too, from its end, or 'all' (default: 0)",
    blocks,
  )
  .option(
    '--views <n>',
    'stored versions of each picture, all but one augmented (default: 1)',
    number,
  )
  .option('--ema <decay>', 'keep a moving average of the weights (default: 0, none)', number)
  .option(
    '--weight-reviewed <n>',
    'times an epoch shows pictures with reviewed captions (default: 1)',
    number,
  )
  .option('--prompt <text>', 'what every caption begins with')
  .option('--checkpoint-every <steps>', 'steps between checkpoints (default: 500)', number)
  .option('--keep-checkpoints <n>', 'checkpoints kept (default: 2)', number)
  .option('--cache <folder>', 'where image features are kept (default: OUTPUT/features)')
  .option('--resume', 'go on with the run in the output folder')
  .addOption(
    new Option(
      '--plan',
      'train a few steps only, in a folder that is removed, and print what the run would take: time, memory, disk, and time with more machines',
    ).conflicts(['resume', 'allowChanges', 'distributed']),
  )
  .option('--allow-changes', 'go on although settings differ from the run so far')
  .addOption(
    new Option(
      '--distributed <engine>',
      "train with the other processes that mpirun or srun started, each on --batch-size images of a step, in the first one's folder",
    ).choices(['mpi']),
  )
  .addOption(
    new Option(
      '--wire <dtype>',
      'how gradients travel between processes (default: f32); bf16 halves the bytes and rounds',
    ).choices(wireDtypes),
  )
  .addOption(threadsOption())
  .addOption(deviceOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addHelpText('after', examples)
  .action(async (flags) => {
    const { runTrain } = await import('./run.ts');
    await runTrain(flags);
  });
