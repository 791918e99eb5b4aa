/** Goes through a site's pages, one at a time, and tells of the pictures without alt text in each. */
import { readFile } from 'node:fs/promises';
import { errorCode } from '../base/files.ts';
import { decodePage, type PageText } from './pages/bytes.ts';
import type { Gap, GapOptions } from './pages/gap.ts';
import { findGaps } from './pages/kinds.ts';
import { lineStarts, type Position, positionOf } from './pages/position.ts';
import { pageEnding, pagesOf } from './pages/walk.ts';
import { type LocatedPicture, locatePicture, type SiteRoots } from './pictures/locate.ts';

export interface ScanOptions extends SiteRoots, GapOptions {
  /** Names of folders that are passed over. */
  readonly exclude: readonly string[];
  readonly signal?: AbortSignal;
}

/** A picture without alt text. */
export interface Finding extends Position {
  readonly gap: Gap;
  readonly picture: LocatedPicture;
}

/** A page that was read, or why it was not. */
export type ScannedPage =
  | {
      readonly kind: 'read';
      readonly path: string;
      readonly page: PageText;
      readonly findings: readonly Finding[];
    }
  | ({ readonly kind: 'broken'; readonly path: string; readonly reason: string } & Position);

/**
 * Yields the pages of a site, or the one page, by name; only one is in memory.
 * @throws InputError when there is nothing to read; the signal's reason when aborted
 */
export async function* scanSite(site: string, options: ScanOptions): AsyncGenerator<ScannedPage> {
  for await (const path of pagesOf(site, options.exclude)) {
    options.signal?.throwIfAborted();
    yield await scanPage(path, options);
  }
}

async function scanPage(path: string, options: ScanOptions): Promise<ScannedPage> {
  const broken = (
    reason: string,
    { line, column }: Position = { line: 1, column: 1 },
  ): ScannedPage => ({
    ...{ kind: 'broken', path, reason },
    ...{ line, column },
  });
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return broken(`it cannot be read (${errorCode(error) ?? String(error)})`);
  }
  const page = decodePage(bytes);
  if (!page) return broken('it is UTF-16 or no text; save it as UTF-8');
  const found = findGaps(page.text, pageEnding(path) ?? '', options);
  const isWhole = found.kind === 'read' && found.gaps.length === 0;
  const starts = isWhole ? [0] : lineStarts(page.text);
  if (found.kind === 'broken') return broken(found.reason, positionOf(found.offset, starts));
  const origin = { path, ...(found.base !== undefined && { base: found.base }) };
  const findings: Finding[] = [];
  for (const gap of found.gaps) {
    const picture = await locatePicture(gap.sources, origin, options);
    findings.push({ gap, picture, ...positionOf(gap.start, starts) });
  }
  return { kind: 'read', path, page, findings };
}
