/** `refcap explain`: why each word of a caption is written, as a page, a contact sheet or JSON; and how true that is. */
import { readFile } from 'node:fs/promises';
import { Command, Option } from '@commander-js/extra-typings';
import { InputError, UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { givenOptions } from '../../caption/command-options.ts';
import { listInputs } from '../../caption/sources/inputs.ts';
import { type SplitName, splitNames } from '../../data/datasets/dataset.ts';
import { measureNames } from '../../explain/evaluate/evaluate.ts';
import { explain } from '../../explain/explain.ts';
import { methods } from '../../explain/methods/methods.ts';
import { aboutDefault, type MethodName, methodNames } from '../../explain/methods/names.ts';
import { explanationRow } from '../../explain/output/json.ts';
import { bundledModel } from '../../hub/bundled.ts';
import { explainGenerator } from '../../pages/explain/page.ts';
import { generatorTag } from '../../pages/frame.ts';
import { loadCaptioner, type ModelFlags } from '../options/captioner.ts';
import { captionColumnOption, imageColumnOption, imagesOption } from '../options/dataset.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';
import { deviceOption, imageSizeOption, membersOption, threadsOption } from '../options/model.ts';
import { checkOutputFile, formatOfOutput } from '../options/output-file.ts';
import { positive, whole } from '../options/values.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';
import type { ExplainedPicture } from './draw.ts';
import { type EvaluationFlags, evaluateCommand } from './evaluate.ts';

const formats = ['html', 'json', 'png'] as const;
type Format = (typeof formats)[number];
const endings = { '.html': 'html', '.htm': 'html', '.json': 'json', '.png': 'png' } as const;

interface Flags extends ModelFlags, EvaluationFlags {
  caption?: string;
  method?: MethodName;
  beams?: number;
  seed: number;
  format?: Format;
  output?: string;
  overwrite?: true;
  recursive?: true;
  evaluate?: true;
  split: SplitName;
}

const help = `
Methods:
${methodNames.map((name) => `  ${name.padEnd(21)} ${methods[name].about}`).join('\n')}

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
  .action(run);

async function run(inputs: string[], flags: Flags): Promise<void> {
  const { format, output } = checkFlags(inputs, flags);
  if (output !== undefined)
    await checkOutputFile(
      output,
      async () => flags.overwrite === true || (format === 'html' && (await isOwnPage(output))),
    );
  await interruptible(
    (signal) =>
      flags.evaluate
        ? evaluateCommand(flags, output, signal)
        : explainInputs(inputs, flags, { format, output }, signal),
    '; nothing was written.',
  );
}

/** @throws UsageError where options do not fit each other */
function checkFlags(
  inputs: readonly string[],
  flags: Flags,
): { format: Format; output: string | undefined } {
  const { evaluate, data, entities, measures, caption } = flags;
  const given = formatOfOutput<Format>(flags.output, flags.format, endings);
  if (evaluate) {
    if (data === undefined) throw new UsageError('--evaluate needs --data.');
    if (inputs.length > 0 || caption !== undefined)
      throw new UsageError('--evaluate takes its pictures and captions from --data alone.');
    if (flags.beams !== undefined)
      throw new UsageError(
        '--evaluate measures what the model writes by its own defaults: leave out --beams.',
      );
    if (given !== undefined && given !== 'json')
      throw new UsageError('--evaluate prints a table and writes json: leave out --format.');
    if (measures?.includes('pointing') && entities === undefined)
      throw new UsageError('--measures pointing needs --entities.');
    return { format: 'json', output: flags.output };
  }
  if (data !== undefined || entities !== undefined)
    throw new UsageError('--data and --entities are for --evaluate.');
  if (inputs.length === 0) throw new UsageError('name a picture (or --evaluate with --data).');
  const format = given ?? 'html';
  return {
    format,
    output: flags.output ?? (format === 'json' ? undefined : `refcap-explain.${format}`),
  };
}

async function isOwnPage(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(0, 2000).includes(generatorTag(explainGenerator));
}

async function explainInputs(
  inputs: readonly string[],
  flags: Flags,
  { format, output }: { format: Format; output: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const pictures = await picturesOf(inputs, flags);
  using captioner = await loadCaptioner(flags, signal);
  const { caption, method, beams, seed } = flags;
  const generation = givenOptions({ beams });
  captioner.check(generation);
  const progress = new ProgressLine();
  progress.total = pictures.length;
  const explained: ExplainedPicture[] = [];
  let failed = 0;
  for (const { file, source } of pictures) {
    try {
      if (source instanceof InputError) throw source;
      const own = { decode: { name: file }, ...generation };
      const explanation = await explain(captioner, source, {
        ...{ seed, signal, generation: own },
        ...(method !== undefined && { method }),
        ...(caption !== undefined && { caption }),
      });
      explained.push({ file, source, explanation });
    } catch (error) {
      // A caption that cannot be explained is no fault of the one picture that it is given for.
      if (!(error instanceof InputError) || caption !== undefined) throw error;
      failed += 1;
      console.error(`refcap: ${error.message}`);
    }
    if (!flags.quiet) progress.advance();
  }
  progress.clear();
  if (explained.length > 0) await write(explained, flags, format, output);
  if (failed > 0) process.exitCode = explained.length > 0 ? 3 : 1;
}

/** @throws UsageError where one caption is given for several pictures */
async function picturesOf(
  inputs: readonly string[],
  { recursive, caption }: Flags,
): Promise<{ file: string; source: string | InputError }[]> {
  const pictures: { file: string; source: string | InputError }[] = [];
  for await (const input of listInputs(inputs, { recursive: recursive ?? false })) {
    const { name: file } = input;
    if (input.kind === 'file') pictures.push({ file, source: input.path ?? file });
    else if (input.kind === 'in shard') pictures.push({ file, source: file });
    else if (/^https?:/i.test(file))
      pictures.push({
        file,
        source: new InputError(`${file}: explain takes files; save it first.`),
      });
    else if (input.kind === 'nothing') pictures.push({ file, source: input.error });
  }
  if (caption !== undefined && pictures.length > 1)
    throw new UsageError(`--caption is for one picture, and there are ${pictures.length}.`);
  return pictures;
}

async function write(
  explained: readonly ExplainedPicture[],
  { model, quiet }: Flags,
  format: Format,
  output: string | undefined,
): Promise<void> {
  if (format === 'json') {
    const rows = explained.map(({ file, explanation }) => ({
      file,
      ...explanationRow(explanation),
    }));
    const json = `${JSON.stringify(rows)}\n`;
    if (output === undefined) process.stdout.write(json);
    else await writeFileAtomic(output, json);
  } else if (output !== undefined) {
    const { drawPage, drawSheet } = await import('./draw.ts');
    const [{ explanation }] = explained;
    const { method } = explanation;
    const about = { model, method, about: methods[method].about };
    await writeFileAtomic(
      output,
      format === 'html' ? await drawPage(explained, about) : await drawSheet(explained),
    );
  }
  if (!quiet && output !== undefined)
    console.error(`refcap: ${explained.length} explained; written to ${output}`);
}
