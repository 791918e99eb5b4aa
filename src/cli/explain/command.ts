/** `refcap explain`: why each word of a caption is written, as a page, a contact sheet or JSON; and how true that is. */
import { Command, Option } from '@commander-js/extra-typings';
import { splitNames } from '../../data/datasets/dataset.ts';
import { measureNames } from '../../explain/evaluate/measures.ts';
import { aboutDefault, aboutMethods, methodNames } from '../../explain/methods/names.ts';
import { bundledModel } from '../../hub/bundled.ts';
import { captionColumnOption, imageColumnOption, imagesOption } from '../options/dataset.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';
import { deviceOption, imageSizeOption, membersOption, threadsOption } from '../options/model.ts';
import { positive, whole } from '../options/values.ts';
import { formats } from './formats.ts';

const help = `
Methods:
${methodNames.map((name) => `  ${name.padEnd(21)} ${aboutMethods[name]}`).join('\n')}

The page opens offline from its one file: choose a word, and the picture stays clear where the word looked. Words are
shaded by visual dependence: how much likelier the word is with the picture than without it.

--evaluate measures the methods on a dataset: whether maps point at what people drew boxes around (--entities), whether
the word is lost when what they point at is covered, whether they change when the model does, and whether visual
dependence finds words that no reference has.

Examples:
  refcap explain photo.jpg --output why.html
  refcap explain photo.jpg --caption "a dog on a beach" --format json
  refcap explain --evaluate --data flickr8k --split dev --entities entities-dev.jsonl.gz --limit 100`;

export const command = new Command('explain')
  .summary('show why each word of a caption is written')
  .description(
    'Explain captions word by word: where each word looked, and how much it depends on the picture.',
  )
  .argument('[images...]', 'image files, folders or patterns')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .option('--caption <text>', 'the caption of the one picture (default: what the model writes)')
  .addOption(
    new Option('--method <name>', `how words are explained (default: ${aboutDefault})`).choices(
      methodNames,
    ),
  )
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .addOption(membersOption('are explained'))
  .addOption(imageSizeOption())
  .addOption(deviceOption())
  .addOption(threadsOption())
  .option('--seed <n>', 'seed of what is drawn by chance', whole, 0)
  .addOption(
    new Option(
      '-f, --format <format>',
      "what is written (default: what the output's name says, else html)",
    ).choices(formats),
  )
  .option(
    '-o, --output <file>',
    'the file (default: refcap-explain.html or .png; json: the standard output)',
  )
  .option('--overwrite', 'replace a file that is there')
  .option('-r, --recursive', 'also look into the folders of folders')
  .option('-q, --quiet', 'no progress and no summary')
  .option('--evaluate', 'measure the methods on a dataset')
  .option('--data <source>', 'pictures with captions: a folder or a caption file')
  .addOption(imagesOption())
  .addOption(imageColumnOption())
  .addOption(captionColumnOption())
  .addOption(new Option('--split <name>', 'what is measured').choices(splitNames).default('dev'))
  .option('--entities <file>', 'boxes of phrases, as JSON lines (.gz or not)')
  .addOption(
    new Option('--measures <name...>', 'what is measured (default: all)').choices(measureNames),
  )
  .addOption(
    new Option('--methods <name...>', 'methods that are measured (default: all)').choices(
      methodNames,
    ),
  )
  .option('--limit <n>', 'measure the first so many pictures alone', positive)
  .option('--per-picture <n>', "of each picture's captions, how many point", positive, 1)
  .option('--oracle <n>', 'words that get the greedy oracle of deletion and insertion', whole, 10)
  .addHelpText('after', help)
  .action(async (inputs, flags, command) => {
    const { runExplain } = await import('./run.ts');
    const given = new Set(
      command.options
        .map((option) => option.attributeName())
        .filter((name) => command.getOptionValueSource(name) === 'cli'),
    );
    await runExplain(inputs, flags, (name) => given.has(name));
  });
