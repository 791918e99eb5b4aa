/** `refcap calibrate`: fits a model's confidence to pictures with captions by people. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { splitNames } from '../../data/datasets/dataset.ts';
import {
  captionColumnOption,
  captionsOption,
  imageColumnOption,
  imagesOption,
} from '../options/dataset.ts';
import { verboseOption } from '../options/hub.ts';
import { deviceOption, membersOption, threadsOption } from '../options/model.ts';
import { positive, repeated, whole } from '../options/values.ts';

const help = `
Confidence is the probability that people who see the picture speak of the caption's main noun. It is fitted to all
sources together and written into the model's config.json, as confidence_config; captions then carry it, and
--min-confidence works. Take pictures that the model was not trained on: the dev split, as here by default.

The errors that are printed are cross-fitted: each picture is judged by a map that was fitted to the others.

Examples:
  refcap calibrate run/best --data flickr8k
  refcap calibrate run/best --data flickr8k --data photos --plot reliability.svg`;

function folds(text: string): number {
  const count = whole(text);
  if (count < 2)
    throw new InvalidArgumentError('must be at least 2: each part is judged by the others.');
  return count;
}

export const command = new Command('calibrate')
  .summary("fit a model's confidence to pictures with captions")
  .description("Fit a model's confidence to pictures with captions, and say how true it is.")
  .argument('<model>', 'folder or weight file, or bundled model')
  .addOption(
    new Option(
      '--data <source>',
      'pictures with captions: a folder or a caption file; may be repeated',
    )
      .argParser(repeated)
      .makeOptionMandatory(),
  )
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(captionsOption())
  .addOption(
    new Option('--split <name>', 'what it is fitted to').choices(splitNames).default('dev'),
  )
  .option('--plot <file>', 'also draw how true it is, as an SVG file')
  .option('--limit <n>', 'take the first so many pictures of each source alone', positive)
  .option('--folds <n>', 'parts of the pictures, each judged by a fit to the others', folds, 10)
  .option('--seed <n>', 'seed of the parts and the intervals', whole, 1)
  .addOption(membersOption())
  .addOption(verboseOption())
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .addOption(deviceOption())
  .addOption(threadsOption())
  .addOption(new Option('-f, --format <format>').choices(['table', 'json']).default('table'))
  .addHelpText('after', help)
  .action(async (model, flags) => {
    const { runCalibrate } = await import('./run.ts');
    await runCalibrate(model, flags);
  });
