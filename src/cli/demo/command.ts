/** `refcap demo`: the photos that ship with refcap, captioned: a line each, and a page with pictures. */

import { Command, Option } from '@commander-js/extra-typings';
import { bundledModel } from '../../hub/bundled.ts';
import { baseOption, verboseOption } from '../options/hub.ts';
import { membersOption, threadsOption } from '../options/model.ts';
import { positive } from '../options/values.ts';

const help = `
Each line has a photo's file, the confidence and the caption. Confidence is how likely people speak of the
caption's main noun; of a model that was not calibrated, the probability that it gave to a token of its caption.
The page is one file with the pictures in it; it opens offline.

Examples:
  refcap demo
  refcap demo --model Salesforce/blip-image-captioning-base --output blip.html`;

export const command = new Command('demo')
  .summary('caption the photos that ship with refcap, and make a page of them')
  .description('Caption the photos that ship with refcap, and make a page with the pictures.')
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .addOption(membersOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .addOption(threadsOption())
  .option('-o, --output <file>', 'the page (default: refcap-demo.html)')
  .option('--no-page', 'print the captions alone')
  .option('--overwrite', 'replace a file that is not a page of refcap demo')
  .addOption(
    new Option('-f, --format <format>', 'how captions are printed')
      .choices(['table', 'json'])
      .default('table'),
  )
  .addHelpText('after', help)
  .action(async (flags) => {
    const { runDemo } = await import('./run.ts');
    await runDemo(flags);
  });
