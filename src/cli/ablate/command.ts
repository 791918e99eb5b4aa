/** `refcap ablate`: what each training-only layer brings, over several seeds, as a table. */
import { Command, Option } from '@commander-js/extra-typings';
import { ablationFormats } from '../../ablate/output-formats.ts';
import { splitNames } from '../../data/datasets/dataset.ts';
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
Without variants of its own in the file, the variants are plain (no layers), refinement, alignment, paper
(both, the published objective), refcap-own and refcap (both, refcap's objective, without and with sibling
captions), all under the same settings. The output folder holds ablation.json, ablation.md and the runs.
The same command goes on after an interruption; with more seeds it adds them.

Examples:
  refcap ablate --config ablation.yaml --seeds 3
  refcap ablate --data photos --tower efficientnet-lite0 --output ablation --set epochs=10
  refcap ablate --config ablation.yaml --variants plain,refcap --format markdown

docs/ablation.md says what the file may hold. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`;

const list = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const command = new Command('ablate')
  .summary('measure what the training-only layers bring')
  .description(
    'Train with and without the training-only layers for several seeds, evaluate each model, and compare them with intervals.',
  )
  .option('--config <file>', 'settings of the ablation and of training, YAML or JSON')
  .option('--seeds <n>', 'seeds 1 to n (default: 3)', number)
  .option('--data <source>', 'pictures with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(new Option('-m, --model <model>', 'captioner to train further').conflicts('tower'))
  .option('--tower <folder>', 'pretrained vision tower for a fresh decoder')
  .option('-o, --output <folder>', 'where runs and tables go')
  .option('--variants <names>', 'run these variants alone, such as plain,refcap', list)
  .option('--baseline <name>', 'what the others are compared with (default: plain)')
  .option('--set <name=value>', 'one more setting of training; may be repeated', repeated)
  .addOption(new Option('--split <name>', 'what is captioned (default: dev)').choices(splitNames))
  .option('--cache <folder>', 'where image features are kept (default: OUTPUT/features)')
  .option('--memory-limit <GiB>', 'choose micro-batches that fit this memory', number)
  .option('--bootstrap <n>', 'resamples of intervals and p-values; 0: none', number, 1000)
  .option('--bootstrap-seed <n>', 'seed of the resamples', number, 1)
  .option('--speed-images <n>', 'pictures that latency is measured with; 0: none', number, 100)
  .option('--speed-rounds <n>', 'measurements of each model', number, 3)
  .addOption(threadsOption())
  .addOption(deviceOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(new Option('-f, --format <format>').choices(ablationFormats).default('table'))
  .addHelpText('after', examples)
  .action(async (flags) => {
    const { runAblate } = await import('./run.ts');
    await runAblate(flags);
  });
