/** `refcap metadata`: what refcap wrote into pictures' metadata. */
import { Command } from '@commander-js/extra-typings';
import { InputError } from '../base/errors.ts';
import { listInputs } from '../caption/sources/inputs.ts';
import { undoPicture } from '../metadata/undo.ts';
import { keepTimesOption } from './options/metadata.ts';
import { outliveReader } from './terminal/failure.ts';
import { interruptible } from './terminal/interrupt.ts';

interface UndoFlags {
  recursive?: boolean;
  quiet?: boolean;
  keepTimes?: boolean;
}

const help = `
Finds what 'refcap caption' wrote with --format xmp or --embed, by the record that it keeps there, and takes it out: words
that were there before come back, and words that a person has changed since stay. All else in the metadata
stays as it is. Prints the files that were changed.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some pictures failed, 130 interrupted.`;

export const command = new Command('metadata')
  .summary("captions in pictures' metadata")
  .description("Look after the captions in pictures' metadata.");

command
  .command('undo')
  .summary("take refcap's captions out of pictures' metadata")
  .description("Take refcap's captions out of pictures' metadata.")
  .argument('<inputs...>', 'image files, folders, patterns, or - for a list')
  .option('-r, --recursive', 'also look into the folders of folders')
  .addOption(keepTimesOption())
  .option('-q, --quiet', 'no summary')
  .addHelpText('after', help)
  .exitOverride()
  .showHelpAfterError('(run with --help for the options)')
  .action(undo);

async function undo(
  inputs: string[],
  { recursive = false, quiet = false, keepTimes = false }: UndoFlags,
): Promise<void> {
  outliveReader();
  let pictures = 0;
  let changed = 0;
  let failed = 0;
  await interruptible(async (signal) => {
    for await (const input of listInputs(inputs, { recursive, signal })) {
      signal.throwIfAborted();
      if (input.kind === 'passed over') continue;
      pictures += 1;
      try {
        if (input.kind === 'nothing') throw input.error;
        if (input.kind === 'url' || input.kind === 'in shard') continue;
        for (const { name, changedSince } of await undoPicture(input.path ?? input.name, {
          keepTimes,
        })) {
          changed += 1;
          process.stdout.write(`${name}\n`);
          if (changedSince.length > 0)
            console.error(
              `refcap: ${name}: changed since, and so left: ${changedSince.join(', ')}.`,
            );
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failed += 1;
        console.error(`refcap: ${error.message}`);
      }
    }
  }, '. What was not undone yet is as it was.');
  if (!quiet) console.error(`${pictures} looked at, ${changed} changed, ${failed} failed`);
  if (failed > 0) process.exitCode = 3;
}
