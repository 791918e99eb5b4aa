/** `refcap review`: a person's word on captions before they count. */

import { Command, Option } from '@commander-js/extra-typings';
import { bundledModel } from '../../hub/bundled.ts';
import { draftFormats } from '../../review/sources/draft.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';
import { keepTimesOption } from '../options/metadata.ts';
import { deviceOption, membersOption, quantizeOption, threadsOption } from '../options/model.ts';
import { portNumber, repeated } from '../options/values.ts';

const help = `
SOURCE is a JSONL, JSON or CSV file with pictures and captions, as refcap caption writes it, a folder of pictures with text
files beside them or with captions of refcap in their metadata, or the folder of refcap evaluate. The page answers this
machine alone. Each decision is added to a journal beside SOURCE (SOURCE.review-NAME.jsonl) as it is made: stop at any
moment, and go on where you were.

--write puts what all reviewers decided into SOURCE. Where they disagree it lists the pictures and leaves them as they
are; --final NAME gives one of them the last word.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 reviewers disagree.

Examples:
  refcap caption photos -f jsonl -o captions.jsonl --num-captions 3
  refcap review captions.jsonl
  refcap review captions.jsonl --write
  refcap train --data captions.jsonl --model refcap-small --weight-reviewed 3 --output run`;

export const command = new Command('review')
  .summary('look through captions before they count')
  .description('Look through captions on a page: accept, edit, choose, write anew, call wrong.')
  .argument('<source>', 'a caption file, a folder of pictures, or an evaluation')
  .option('--write', 'write what was decided into the source')
  .addOption(new Option('--summary', 'print what reviewing bought').conflicts('write'))
  .option('--reviewer <name>', 'who reviews (default: your name on this machine)')
  .option(
    '--journal <file>',
    "another reviewer's journal (--write, --summary); may be repeated",
    repeated,
  )
  .option('--final <name>', 'the reviewer whose word goes before the others (--write)')
  .addOption(
    new Option('--format <format>', 'how the captions are kept (default: recognised)').choices(
      draftFormats,
    ),
  )
  .option('--images <folder>', 'where the pictures are, if not where their names say')
  .addOption(keepTimesOption())
  .option('--port <n>', 'port to listen at; 0: any that is free', portNumber, 8081)
  .option('-m, --model <model>', 'what writes captions anew', bundledModel)
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(deviceOption())
  .addOption(threadsOption('of the model'))
  .addOption(quantizeOption())
  .addOption(membersOption())
  .addHelpText('after', help)
  .action(async (path, flags) => {
    const { runReview } = await import('./run.ts');
    await runReview(path, flags);
  });
