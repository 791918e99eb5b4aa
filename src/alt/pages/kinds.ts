/** The kinds of pages there are, by the endings of their names, and how pictures are found in each. */
import { maskBraces, maskFrontMatter, maskTemplates } from './expressions.ts';
import type { GapOptions, PageGaps } from './gap.ts';
import { gapsInHtml } from './html.ts';
import { gapsInMarkdown, gapsInMdx } from './markdown.ts';

interface PageKind {
  readonly endings: readonly string[];
  find(text: string, options: GapOptions): PageGaps;
}

const kinds: readonly PageKind[] = [
  {
    endings: [
      ...['.html', '.htm', '.xhtml', '.shtml', '.vue', '.jinja', '.jinja2', '.j2', '.njk'],
      ...['.twig', '.liquid', '.hbs', '.handlebars', '.mustache', '.ejs', '.erb'],
    ],
    find: (text, options) =>
      gapsInHtml({ text, masked: maskTemplates(maskFrontMatter(text)) }, options),
  },
  {
    endings: ['.svelte'],
    find: (text, options) => gapsInHtml({ text, masked: maskBraces(text, true) }, options),
  },
  {
    endings: ['.astro'],
    find: (text, options) =>
      gapsInHtml({ text, masked: maskBraces(maskFrontMatter(text), false) }, options),
  },
  {
    endings: ['.md', '.markdown'],
    find: (text, options) => gapsInMarkdown(text, maskTemplates(maskFrontMatter(text)), options),
  },
  {
    endings: ['.mdx'],
    find: (text, options) => gapsInMdx(text, maskFrontMatter(text), options),
  },
];

const byEnding: ReadonlyMap<string, PageKind> = new Map(
  kinds.flatMap((kind) => kind.endings.map((ending): [string, PageKind] => [ending, kind])),
);

/** Endings of names (lower case, with the dot) of the pages that are read. */
export const pageEndings: readonly string[] = [...byEnding.keys()];

/**
 * Finds the pictures without alt text in a page.
 * @param ending the ending of its name, one of `pageEndings`
 */
export function findGaps(text: string, ending: string, options: GapOptions): PageGaps {
  const kind = byEnding.get(ending);
  if (!kind) throw new Error(`no kind of page ends with ${ending}`);
  return kind.find(text, options);
}
