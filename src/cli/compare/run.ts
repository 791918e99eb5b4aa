/** The work of `refcap compare`: the comparison, its table and its page. */
import { join } from 'node:path';
import { InputError, UsageError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { plural } from '../../base/plural.ts';
import { type ComparedImage, type Comparison, compareEvaluations } from '../../compare/compare.ts';
import { listImages } from '../../data/images/folder.ts';
import { thumbnail } from '../../data/images/thumbnail.ts';
import { scoreHeading } from '../../metrics/registry.ts';
import { comparePage, type MappedCaptions } from '../../pages/compare/page.ts';
import { formatReports, type ReportFormat } from '../../score/report.ts';
import { checkOutputFile } from '../options/output-file.ts';
import { interruptible } from '../terminal/interrupt.ts';
import { ProgressLine } from '../terminal/progress.ts';

export interface CompareFlags {
  output: string;
  overwrite?: true;
  images?: string | boolean;
  imageSize: number;
  maps?: true;
  bootstrap: number;
  seed: number;
  format: ReportFormat;
}

/** @throws InputError where an evaluation cannot be read, or the page may not be written */
export async function runCompare(a: string, b: string, flags: CompareFlags): Promise<void> {
  const { output, imageSize, bootstrap, seed, format } = flags;
  for (const [name, value, least] of [
    ['--image-size', imageSize, 16],
    ['--bootstrap', bootstrap, 1],
    ['--seed', seed, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      throw new UsageError(`${name} must be a whole number of at least ${least}.`);
  if (flags.maps && flags.images === false)
    throw new UsageError('--maps lie over pictures: leave out --no-images.');
  await checkOutputFile(output, flags.overwrite ?? false);
  const moved = typeof flags.images === 'string' ? await listImages(flags.images) : undefined;
  await interruptible(async (signal) => {
    const comparison = await compareEvaluations({ folders: [a, b], bootstrap, seed, signal });
    const pathOf = ({ file, path }: ComparedImage): string =>
      moved ? (moved.find(file) ?? join(moved.folder, file)) : path;
    const pictures =
      flags.images === false ? [] : await picturesOf(comparison, imageSize, pathOf, signal);
    const maps = flags.maps && (await mapsOf(comparison, pathOf, signal));
    await writeFileAtomic(output, comparePage(comparison, pictures, scoreHeading, maps));
    process.stdout.write(formatReports(comparison.reports, format, scoreHeading));
    console.error(`refcap: written to ${output}`);
  }, '; nothing was written.');
}

/** The pictures, where they can still be read. */
async function picturesOf(
  { images }: Comparison,
  size: number,
  pathOf: (image: ComparedImage) => string,
  signal: AbortSignal,
): Promise<(string | undefined)[]> {
  const pictures: (string | undefined)[] = [];
  const failures: string[] = [];
  for (let start = 0; start < images.length; start += 8) {
    signal.throwIfAborted();
    const some = images.slice(start, start + 8).map((image) =>
      thumbnail(pathOf(image), size).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        failures.push(error.message);
        return undefined;
      }),
    );
    pictures.push(...(await Promise.all(some)));
  }
  const [first] = failures;
  const many = plural(failures.length, 'picture is', 'pictures are');
  if (first)
    console.error(`refcap: ${many} not in the page (--images says where they are): ${first}`);
  return pictures;
}

/** Where the words of both runs' captions looked. */
async function mapsOf(
  comparison: Comparison,
  pathOf: (image: ComparedImage) => string,
  signal: AbortSignal,
): Promise<[MappedCaptions, MappedCaptions]> {
  const { mapsOfRun } = await import('./maps.ts');
  const progress = new ProgressLine();
  progress.total = 2 * comparison.images.length;
  const failures = new Set<string>();
  const tell = {
    onDone: () => progress.advance(),
    onFault: (sentence: string) => failures.add(sentence),
  };
  const first = await mapsOfRun(comparison, 0, pathOf, tell, signal);
  const second = await mapsOfRun(comparison, 1, pathOf, tell, signal);
  progress.clear();
  const [sentence] = failures;
  if (sentence !== undefined)
    console.error(`refcap: not all captions have maps in the page: ${sentence}`);
  return [first, second];
}
