/** Fills the missing alt texts of a site's pages, one page at a time, from drafts of its pictures. */
import { InputError } from '../base/errors.ts';
import { editPage, type Fill } from './edit.ts';
import type { PageText } from './pages/bytes.ts';
import { findGaps } from './pages/kinds.ts';
import type { Position } from './pages/position.ts';
import { pageEnding } from './pages/walk.ts';
import type { Drafts } from './pictures/drafts.ts';
import { type Finding, type ScannedPage, type ScanOptions, scanSite } from './scan.ts';
import { altText, wordsOfFileName } from './text.ts';

export interface FillOptions extends ScanOptions {
  /** Drafts of less confidence (0 to 1) are left out, and a comment asks a person for the text. */
  readonly minConfidence: number;
  /** What stands around captions, as `altText` takes it. */
  readonly template?: string;
  /** What the pictures are of. */
  readonly context?: string;
}

/** What becomes of a picture without alt text. */
export type FillOutcome =
  | { readonly kind: 'filled'; readonly text: string; readonly confidence: number }
  | { readonly kind: 'doubtful'; readonly confidence: number; readonly isAsked: boolean }
  | { readonly kind: 'left'; readonly reason: string };

/** A page with its new text, or one that is left as it is. */
export type FilledPage =
  | {
      readonly kind: 'read';
      readonly path: string;
      readonly before: PageText;
      readonly after: PageText;
      readonly outcomes: readonly { readonly finding: Finding; readonly outcome: FillOutcome }[];
    }
  | ({ readonly kind: 'broken'; readonly path: string; readonly reason: string } & Position);

/** The files of all pictures of a site that have no alt text. @throws as `scanSite` */
export async function picturesWithoutText(
  site: string,
  options: ScanOptions,
): Promise<Set<string>> {
  const pictures = new Set<string>();
  for await (const page of scanSite(site, options)) {
    if (page.kind === 'broken') continue;
    for (const { gap, picture } of page.findings)
      if (picture.kind === 'file' && gap.unsafe === undefined) pictures.add(picture.path);
  }
  return pictures;
}

/** Yields the site's pages with their texts filled in; nothing is written. @throws as `scanSite` */
export async function* fillSite(
  site: string,
  drafts: Drafts,
  options: FillOptions,
): AsyncGenerator<FilledPage> {
  for await (const page of scanSite(site, options)) yield fillPage(page, drafts, options);
}

function fillPage(scanned: ScannedPage, drafts: Drafts, options: FillOptions): FilledPage {
  if (scanned.kind === 'broken') return scanned;
  const { path, page, findings } = scanned;
  const outcomes = findings.map((finding) => ({
    finding,
    outcome: outcomeOf(finding, drafts, options),
  }));
  const fills = outcomes.flatMap(({ finding: { gap }, outcome }): Fill[] => {
    if (outcome.kind === 'left') return [];
    return [outcome.kind === 'filled' ? { gap, text: outcome.text } : { gap }];
  });
  const after = { ...page, text: editPage(page, fills) };
  const left = outcomes.filter(({ outcome }) => outcome.kind !== 'filled').length;
  // The new page is read as the old one was: what was filled is filled, and no other text has gone.
  const found = findGaps(after.text, pageEnding(path) ?? '', options);
  if (found.kind === 'broken' || found.gaps.length > left)
    return { kind: 'broken', path, line: 1, column: 1, reason: 'it cannot be changed safely' };
  return { kind: 'read', path, before: page, after, outcomes };
}

function outcomeOf(
  { gap, picture }: Finding,
  drafts: Drafts,
  { minConfidence, template, context }: FillOptions,
): FillOutcome {
  if (gap.unsafe !== undefined) return { kind: 'left', reason: gap.unsafe };
  if (picture.kind === 'none') return { kind: 'left', reason: picture.reason };
  const draft = drafts.get(picture.path);
  if (draft === undefined) return { kind: 'left', reason: 'it appeared while the command ran' };
  if (draft instanceof InputError) return { kind: 'left', reason: draft.message };
  const { caption, confidence } = draft;
  const name = wordsOfFileName(picture.path);
  const text = altText(caption, {
    ...(template !== undefined && { template }),
    values: {
      ...(context !== undefined && { context }),
      ...(gap.title !== undefined && { title: gap.title }),
      ...(name !== undefined && { name }),
    },
  });
  if (text === '' || confidence < minConfidence)
    return { kind: 'doubtful', confidence, isAsked: gap.todo !== undefined };
  return { kind: 'filled', text, confidence };
}
