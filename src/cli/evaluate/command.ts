/** `refcap evaluate`: a model's captions, scores and speed on a split of a dataset. */
import { Command, Option } from '@commander-js/extra-typings';
import { splitNames } from '../../data/datasets/dataset.ts';
import {
  captionColumnOption,
  captionsOption,
  imageColumnOption,
  imagesOption,
} from '../options/dataset.ts';
import { baseOption, verboseOption } from '../options/hub.ts';
import {
  deviceOption,
  imageSizeOption,
  membersOption,
  quantizeOption,
  threadsOption,
} from '../options/model.ts';
import { frameCount, noRepeatNgram, number, positive, whole } from '../options/values.ts';

const examples = `
The run's folder holds results.json (scores with intervals, a second protocol, settings, speed) and
captions.jsonl (each picture's caption, references and scores).

Example:
  refcap evaluate run/best --data flickr8k --split dev --beams 3 --output run/dev`;

export const command = new Command('evaluate')
  .summary('measure a model on a dataset')
  .description("Caption a split's pictures, score them with all metrics, and measure the speed.")
  .argument('<model>', 'folder or file, bundled model, or hub id')
  .requiredOption('--data <source>', 'pictures or clips with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(new Option('--split <name>', 'what is measured').choices(splitNames).default('dev'))
  .option('-o, --output <folder>', "the run's folder (default: evaluation-SPLIT)")
  .option('--overwrite', 'replace an evaluation that is there')
  .option('--beams <n>', "beams (default: the model's own)", positive)
  .option('--min-length <n>', 'fewest tokens', whole)
  .option('--max-length <n>', 'most tokens', positive)
  .option('--length-penalty <x>', 'beam scores are divided by length to this power', number)
  .option('--repetition-penalty <x>', 'above 1: words written before become less likely', number)
  .addOption(noRepeatNgram())
  .option('--prompt <text>', 'what every caption begins with')
  .option('--keep-refiner', 'keep the training-only layers saved beside the model')
  .addOption(membersOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(quantizeOption())
  .addOption(imageSizeOption())
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .option(
    '--frames <n>',
    "frames that a clip is captioned from, or 'middle' (default: as many as the model learned from clips, else middle)",
    frameCount,
  )
  .option('--limit <n>', 'measure the first so many pictures alone', positive)
  .option('--bootstrap <n>', 'resamples of the intervals; 0: none', whole, 1000)
  .option('--seed <n>', 'seed of the resamples', whole, 1)
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
  .addHelpText('after', examples)
  .action(async (model, flags) => {
    const { runEvaluate } = await import('./run.ts');
    await runEvaluate(model, flags);
  });
