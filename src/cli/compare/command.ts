/** `refcap compare`: two evaluations side by side, as a table and as a page. */

import { Command, Option } from '@commander-js/extra-typings';
import { reportFormats } from '../../score/report.ts';
import { number } from '../options/values.ts';

const examples = `
Differences are RUN_B minus RUN_A, with paired bootstrap intervals and p-values by approximate randomization.
The page opens offline from its one file.

Example:
  refcap compare plain/dev refined/dev --output comparison.html`;

export const command = new Command('compare')
  .summary('compare two evaluations')
  .description('Compare two folders of refcap evaluate, picture by picture.')
  .argument('<run_a>', "an evaluation's folder")
  .argument('<run_b>', "another one's, of the same pictures")
  .option('-o, --output <file>', 'the page', 'comparison.html')
  .option('--overwrite', 'replace a page that is there')
  .option('--images <folder>', 'where the pictures are, if they were moved since')
  .option('--no-images', 'a page without pictures')
  .option('--image-size <pixels>', 'longest side of the pictures in the page', number, 256)
  .option('--maps', 'show where each word of both captions looked; opens both models')
  .option('--bootstrap <n>', 'resamples of intervals and p-values', number, 1000)
  .option('--seed <n>', 'seed of the resamples', number, 1)
  .addOption(new Option('-f, --format <format>').choices(reportFormats).default('table'))
  .addHelpText('after', examples)
  .action(async (a, b, flags) => {
    const { runCompare } = await import('./run.ts');
    await runCompare(a, b, flags);
  });
