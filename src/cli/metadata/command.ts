/** `refcap metadata`: what refcap wrote into pictures' metadata. */
import { Command } from '@commander-js/extra-typings';
import { keepTimesOption } from '../options/metadata.ts';

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
  .action(async (inputs, flags) => {
    const { runUndo } = await import('./run.ts');
    await runUndo(inputs, flags);
  });
