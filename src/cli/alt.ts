/** `refcap alt`: pictures of a site that have no alt text are listed, or get one. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { type FilledPage, type FillOptions, fillSite, picturesWithoutText } from '../alt/fill.ts';
import { encodePage } from '../alt/pages/bytes.ts';
import { pathInPatch, unifiedDiff } from '../alt/patch.ts';
import { cacheKey, DraftCache, defaultCacheFolder } from '../alt/pictures/cache.ts';
import { type Drafts, draftCaptions } from '../alt/pictures/drafts.ts';
import {
  describeEntry,
  describeOutcome,
  entriesOf,
  type ReportEntry,
} from '../alt/report/entry.ts';
import { type AltReportFormat, altReportFormats, reportText } from '../alt/report/formats.ts';
import { type ScanOptions, scanSite } from '../alt/scan.ts';
import { checkAltTemplate, contextTemplate } from '../alt/text.ts';
import { UsageError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { type OutputStream, openStream } from '../base/streams.ts';
import { givenOptions } from '../caption/command-options.ts';
import type { CaptionOptions } from '../caption/options.ts';
import { bundledModel } from '../hub/bundled.ts';
import { resolveModel } from '../hub/resolve.ts';
import { loadCaptioner, type ModelFlags, suitableWorkers } from './options/captioner.ts';
import {
  baseOption,
  hubOptions,
  offlineOption,
  revisionOption,
  verboseOption,
} from './options/hub.ts';
import { deviceOption, membersOption, quantizeOption, threadsOption } from './options/model.ts';
import { positive, probability, repeated, whole } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';
import { ProgressLine } from './terminal/progress.ts';

interface Flags extends ModelFlags {
  check?: true;
  write?: true;
  patch?: true;
  format?: AltReportFormat;
  root?: string[];
  siteUrl?: string;
  exclude?: string[];
  includeEmpty?: true;
  minConfidence: number;
  template?: string;
  context?: string;
  cache?: string;
  batchSize: number;
  beams?: number;
}

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
  .action(run);

async function run(site: string, flags: Flags): Promise<void> {
  checkFlags(flags);
  await interruptible(
    (signal) => (flags.check ? check(site, flags, signal) : fill(site, flags, signal)),
    flags.check ? '.' : '. What was captioned is kept: run again to go on.',
  );
}

function checkFlags({ check, write, patch, format, template, context }: Flags): void {
  if (!check && !write && !patch)
    throw new UsageError('say what to do: --check lists, --write fills, --patch prints a diff.');
  if (!check && format !== undefined)
    throw new UsageError('--format is how --check lists; leave it out.');
  checkAltTemplate(template, context);
}

async function scanOptions(site: string, flags: Flags, signal: AbortSignal): Promise<ScanOptions> {
  const isFolder = (await stat(site).catch(() => undefined))?.isDirectory() ?? false;
  return {
    roots: flags.root ?? [isFolder ? site : dirname(site)],
    ...(flags.siteUrl !== undefined && { siteUrl: flags.siteUrl }),
    exclude: flags.exclude ?? [],
    includeEmpty: flags.includeEmpty ?? false,
    signal,
  };
}

async function check(site: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const options = await scanOptions(site, flags, signal);
  const counts = { pages: 0, pictures: 0, broken: 0 };
  async function* entries(): AsyncGenerator<ReportEntry> {
    for await (const scanned of scanSite(site, options)) {
      counts.pages += 1;
      for (const entry of entriesOf(scanned)) {
        if (entry.problem === 'page-broken') counts.broken += 1;
        else counts.pictures += 1;
        yield entry;
      }
    }
  }
  const output = openStream('/dev/stdout');
  for await (const piece of reportText(entries(), flags.format ?? 'text'))
    await output.write(piece);
  await output.end();
  const { pages, pictures, broken } = counts;
  if (!flags.quiet)
    console.error(
      `refcap: ${count(pictures, 'picture')} without alt text on ${count(pages, 'page')}${brokenNote(broken)}`,
    );
  if (pictures + broken > 0) process.exitCode = 3;
}

async function fill(site: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const scan = await scanOptions(site, flags, signal);
  const drafts = await draftsOf(await picturesWithoutText(site, scan), flags, signal);
  const { minConfidence, context } = flags;
  const template = flags.template ?? (context === undefined ? undefined : contextTemplate);
  const options: FillOptions = {
    ...scan,
    minConfidence,
    ...(template !== undefined && { template }),
    ...(context !== undefined && { context }),
  };
  const counts: FillCounts = { filled: 0, left: 0, pages: 0, broken: 0 };
  const output = openStream('/dev/stdout');
  for await (const page of fillSite(site, drafts, options)) {
    await putOut(page, site, flags, output);
    await tell(page, counts, flags, output);
  }
  await output.end();
  if (!flags.quiet) console.error(summary(counts, flags));
  if (counts.left + counts.broken > 0) process.exitCode = 3;
}

/** The captions of all pictures, by the model where the cache does not have them. */
async function draftsOf(
  pictures: ReadonlySet<string>,
  flags: Flags,
  signal: AbortSignal,
): Promise<Drafts> {
  if (pictures.size === 0) return new Map();
  const { base, beams, device, members, quantize, batchSize, cache, quiet } = flags;
  const { path } = await resolveModel(flags.model, hubOptions(flags, signal));
  const key = await cacheKey(path, { base, beams, device, members, quantize });
  const progress = new ProgressLine();
  const caption: CaptionOptions = {
    ...givenOptions({ beams }),
    decode: { onWarning: (sentence) => console.error(`refcap: ${sentence}`) },
  };
  try {
    return await draftCaptions(pictures, {
      cache: await DraftCache.open(cache ?? defaultCacheFolder(), key),
      open: (total) => {
        progress.total = total;
        return loadCaptioner(
          { ...flags, workers: flags.workers ?? suitableWorkers(total) },
          signal,
        );
      },
      caption,
      batchSize,
      signal,
      onDone: () => {
        if (!quiet) progress.advance();
      },
    });
  } finally {
    progress.clear();
  }
}

/** Writes a page, or prints its patch. */
async function putOut(
  page: FilledPage,
  site: string,
  { write, patch }: Flags,
  output: OutputStream,
): Promise<void> {
  if (page.kind === 'broken' || page.after.text === page.before.text) return;
  const { path, before, after } = page;
  if (write) await writeFileAtomic(path, encodePage(after));
  if (!patch) return;
  const text = unifiedDiff(pathInPatch(path, site), before.text, after.text);
  await output.write(encodePage({ ...after, text }));
}

interface FillCounts {
  filled: number;
  left: number;
  pages: number;
  broken: number;
}

/** Counts what became of a page's pictures; says what was written, and names what is left. */
async function tell(
  page: FilledPage,
  counts: FillCounts,
  { write }: Flags,
  output: OutputStream,
): Promise<void> {
  if (page.kind === 'broken') {
    counts.broken += 1;
    for (const entry of entriesOf(page)) console.error(`refcap: ${describeEntry(entry)}`);
    return;
  }
  if (page.after.text !== page.before.text) counts.pages += 1;
  for (const { finding, outcome } of page.outcomes) {
    if (outcome.kind === 'filled') counts.filled += 1;
    else counts.left += 1;
    const line = describeOutcome(page.path, finding, outcome);
    if (write && outcome.kind === 'filled') await output.write(`${line}\n`);
    else if (outcome.kind !== 'filled') console.error(`refcap: ${line}`);
  }
}

function summary({ filled, left, pages, broken }: FillCounts, { write }: Flags): string {
  const done = write ? 'written into' : 'for';
  const rest = left === 0 ? '' : `; ${count(left, 'picture')} left without`;
  return `refcap: ${count(filled, 'alt text')} ${done} ${count(pages, 'page')}${rest}${brokenNote(broken)}`;
}

function brokenNote(pages: number): string {
  if (pages === 0) return '';
  return `; ${count(pages, 'broken page')} left as ${pages === 1 ? 'it is' : 'they are'}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
