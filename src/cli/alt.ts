/** `refcap alt`: pictures of a site that have no alt text. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { entriesOf, type ReportEntry } from '../alt/report/entry.ts';
import { type ReportFormat, reportFormats, reportText } from '../alt/report/formats.ts';
import { type ScanOptions, scanSite } from '../alt/scan.ts';
import { UsageError } from '../base/errors.ts';
import { openStream } from '../base/streams.ts';
import { repeated } from './options/values.ts';
import { interruptible } from './terminal/interrupt.ts';

interface Flags {
  check?: true;
  format: ReportFormat;
  root?: string[];
  siteUrl?: string;
  exclude?: string[];
  includeEmpty?: true;
}

const help = `
SITE is a folder or one page. HTML, Markdown, MDX, Vue, Svelte and Astro are read, and templates that are HTML with
expressions (Jinja, Twig, Liquid, Handlebars, EJS, ERB). An alt text that an expression gives counts as one.

Pictures with alt="" are left, as decoration; but for alt=" ", for a link or button that says nothing else, and for
Markdown's ![](...), which cannot say that it is decoration.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 pictures without alt text are left, 130 interrupted.

Examples:
  refcap alt site --check
  refcap alt site --check --format sarif > alt.sarif`;

export const command = new Command('alt')
  .summary("find a site's pictures without alt text")
  .description("Find a site's pictures without alt text.")
  .argument('<site>', 'a folder of pages, or one page')
  .option('--check', 'list them, with line and column')
  .addOption(
    new Option('-f, --format <format>', 'how they are listed')
      .choices(reportFormats)
      .default('text'),
  )
  .option(
    '--root <folder>',
    "where addresses begin that begin with / (default: the site's folder); may be repeated",
    repeated,
  )
  .option('--site-url <address>', "the site's own address, whose pictures are in its folders")
  .option('--exclude <name>', 'pass over folders of this name; may be repeated', repeated)
  .option('--include-empty', 'also take pictures with alt="" and no role')
  .addHelpText('after', help)
  .action(run);

async function run(site: string, flags: Flags): Promise<void> {
  if (!flags.check) throw new UsageError('say what to do: --check.');
  await interruptible((signal) => check(site, flags, signal), '.');
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
  for await (const piece of reportText(entries(), flags.format)) await output.write(piece);
  await output.end();
  console.error(
    `refcap: ${counts.pictures} pictures without alt text on ${counts.pages} pages${brokenNote(counts.broken)}`,
  );
  if (counts.pictures + counts.broken > 0) process.exitCode = 3;
}

function brokenNote(count: number): string {
  return count === 0 ? '' : `; ${count} pages are broken and were left`;
}
