/** The work of `refcap alt`: lists pictures without alt text, or fills them. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type FilledPage,
  type FillOptions,
  fillSite,
  picturesWithoutText,
} from '../../alt/fill.ts';
import { encodePage } from '../../alt/pages/bytes.ts';
import { pathInPatch, unifiedDiff } from '../../alt/patch.ts';
import { cacheKey, DraftCache, defaultCacheFolder } from '../../alt/pictures/cache.ts';
import { type Drafts, draftCaptions } from '../../alt/pictures/drafts.ts';
import {
  describeEntry,
  describeOutcome,
  entriesOf,
  type ReportEntry,
} from '../../alt/report/entry.ts';
import { type AltReportFormat, reportText } from '../../alt/report/formats.ts';
import { type ScanOptions, scanSite } from '../../alt/scan.ts';
import { checkAltTemplate, contextTemplate } from '../../alt/text.ts';
import { UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { type OutputStream, openStream } from '../../base/streams.ts';
import { givenOptions } from '../../caption/command-options.ts';
import type { CaptionOptions } from '../../caption/options.ts';
import { resolveModel } from '../../hub/resolve.ts';
import { loadCaptioner, type ModelFlags, suitableWorkers } from '../options/captioner.ts';
import { hubOptions } from '../options/hub.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';

export interface AltFlags extends ModelFlags {
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

/** @throws InputError where the site or the model cannot be read */
export async function runAlt(site: string, flags: AltFlags): Promise<void> {
  checkFlags(flags);
  await interruptible(
    (signal) => (flags.check ? check(site, flags, signal) : fill(site, flags, signal)),
    flags.check ? '.' : '. What was captioned is kept: run again to go on.',
  );
}

function checkFlags({ check, write, patch, format, template, context }: AltFlags): void {
  if (!check && !write && !patch)
    throw new UsageError('say what to do: --check lists, --write fills, --patch prints a diff.');
  if (!check && format !== undefined)
    throw new UsageError('--format is how --check lists; leave it out.');
  checkAltTemplate(template, context);
}

async function scanOptions(
  site: string,
  flags: AltFlags,
  signal: AbortSignal,
): Promise<ScanOptions> {
  const isFolder = (await stat(site).catch(() => undefined))?.isDirectory() ?? false;
  return {
    roots: flags.root ?? [isFolder ? site : dirname(site)],
    ...(flags.siteUrl !== undefined && { siteUrl: flags.siteUrl }),
    exclude: flags.exclude ?? [],
    includeEmpty: flags.includeEmpty ?? false,
    signal,
  };
}

async function check(site: string, flags: AltFlags, signal: AbortSignal): Promise<void> {
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
      `refcap: ${plural(pictures, 'picture')} without alt text on ${plural(pages, 'page')}${brokenNote(broken)}`,
    );
  if (pictures + broken > 0) process.exitCode = 3;
}

async function fill(site: string, flags: AltFlags, signal: AbortSignal): Promise<void> {
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
  flags: AltFlags,
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
  { write, patch }: AltFlags,
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
  { write }: AltFlags,
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

function summary({ filled, left, pages, broken }: FillCounts, { write }: AltFlags): string {
  const done = write ? 'written into' : 'for';
  const rest = left === 0 ? '' : `; ${plural(left, 'picture')} left without`;
  return `refcap: ${plural(filled, 'alt text')} ${done} ${plural(pages, 'page')}${rest}${brokenNote(broken)}`;
}

function brokenNote(pages: number): string {
  if (pages === 0) return '';
  return `; ${plural(pages, 'broken page')} left as ${pages === 1 ? 'it is' : 'they are'}`;
}
