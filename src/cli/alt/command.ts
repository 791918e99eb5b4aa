/** `refcap alt`: pictures of a site that have no alt text are listed, or get one. */

import { Command, Option } from '@commander-js/extra-typings';
import { altReportFormats } from '../../alt/report/formats.ts';
import { bundledModel } from '../../hub/bundled.ts';
import { baseOption, offlineOption, revisionOption, verboseOption } from '../options/hub.ts';
import { deviceOption, membersOption, quantizeOption, threadsOption } from '../options/model.ts';
import { positive, probability, repeated, whole } from '../options/values.ts';

const help = `
SITE is a folder or one page. HTML, Markdown, MDX, JSX, TSX, Vue, Svelte, Astro and PHP are read, and templates that are
HTML with expressions (Jinja, Twig, Liquid, Handlebars, EJS, ERB, HEEx, JSP, Go). An alt text that an expression gives
counts as one. A picture in a string of PHP is listed, and left to a person.

Pictures with alt="" are left, as decoration; but for alt=" ", for a link or button that says nothing else, and for
Markdown's ![](...), which cannot say that it is decoration.

Of a page that is changed only the attributes change; a page with broken markup is left and named. Drafts below the
confidence are not used: a comment (TODO: alt text) asks a person for the text. What was captioned is kept in a cache.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 pictures without alt text are left, 130 interrupted.

Examples:
  refcap alt site --check
  refcap alt site --check --format sarif > alt.sarif
  refcap alt site --patch > alt.patch
  refcap alt site --write --context "Hotel Alpenblick"`;

export const command = new Command('alt')
  .summary("find and fill a site's missing alt texts")
  .description("Find a site's pictures without alt text, and write one for them.")
  .argument('<site>', 'a folder of pages, or one page')
  .addOption(new Option('--check', 'list them, with line and column').conflicts(['write', 'patch']))
  .addOption(new Option('--write', 'write texts into the pages').conflicts('patch'))
  .option('--patch', 'print what would be written, as a unified diff')
  .addOption(
    new Option('-f, --format <format>', 'how they are listed (default: text)').choices(
      altReportFormats,
    ),
  )
  .option(
    '--root <folder>',
    "where addresses begin that begin with / (default: the site's folder); may be repeated",
    repeated,
  )
  .option('--site-url <address>', "the site's own address, whose pictures are in its folders")
  .option('--exclude <name>', 'pass over folders of this name; may be repeated', repeated)
  .option('--include-empty', 'also take pictures with alt="" and no role')
  .option('--min-confidence <p>', 'least confidence of a text, 0 to 1', probability, 0.7)
  .option('--context <text>', 'what the pictures are of, put before each text')
  .option(
    '--template <text>',
    "what stands around a caption, with {caption}, {context}, {title} (the picture's) or {name} (its file's)",
  )
  .option('--cache <folder>', "where captions are kept (default: refcap/alt in the user's cache)")
  .option('-m, --model <model>', 'model folder or file, bundled model, or hub id', bundledModel)
  .addOption(revisionOption())
  .addOption(offlineOption())
  .addOption(baseOption())
  .addOption(verboseOption())
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .addOption(membersOption())
  .addOption(quantizeOption())
  .addOption(deviceOption())
  .addOption(threadsOption('of each worker'))
  .option(
    '--workers <n>',
    'batches at a time, each in a thread (default: 1; 0, as for few pictures: none)',
    whole,
  )
  .option('--batch-size <n>', 'pictures at a time', positive, 4)
  .option('-q, --quiet', 'no progress and no summary')
  .addHelpText('after', help)
  .action(async (site, flags) => {
    const { runAlt } = await import('./run.ts');
    await runAlt(site, flags);
  });
