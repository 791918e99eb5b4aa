/** The kinds of pages there are, by the endings of their names, and how pictures are found in each. */
import { maskBraces, maskFrontMatter, maskTemplates } from './expressions.ts';
import type { GapOptions, PageGaps } from './gap.ts';
import { gapsInHtml } from './html.ts';
import { gapsInJsx } from './jsx.ts';
import { gapsInMarkdown, gapsInMdx } from './markdown.ts';
import { gapsInPhp } from './php.ts';
import { gapsInRazor } from './razor.ts';

interface PageKind {
  readonly endings: readonly string[];
  find(text: string, options: GapOptions): PageGaps;
}

const kinds: readonly PageKind[] = [
  {
    endings: [
      ...['.html', '.htm', '.xhtml', '.shtml', '.vue', '.jinja', '.jinja2', '.j2', '.njk'],
      ...['.twig', '.liquid', '.hbs', '.handlebars', '.mustache', '.ejs', '.erb', '.jsp', '.eex'],
      ...['.gohtml', '.edge'],
    ],
    find: (text, options) =>
      gapsInHtml({ text, masked: maskTemplates(maskFrontMatter(text)) }, options),
  },
  {
    endings: ['.php', '.phtml'],
    find: gapsInPhp,
  },
  {
    endings: ['.cshtml'],
    find: (text, options) => gapsInRazor(text, options),
  },
  {
    // Addresses in Blazor's components are relative to the application's.
    endings: ['.razor'],
    find: (text, options) => gapsInRazor(text, options, '/'),
  },
  {
    endings: ['.jsx'],
    find: (text, options) => gapsInJsx(text, false, options),
  },
  {
    endings: ['.tsx'],
    find: (text, options) => gapsInJsx(text, true, options),
  },
  {
    endings: ['.heex'],
    find: (text, options) =>
      gapsInHtml({ text, masked: maskTemplates(maskBraces(text, true)) }, options),
  },
  {
    endings: ['.svelte'],
    find: (text, options) => gapsInHtml({ text, masked: maskBraces(text, true) }, options),
  },
  {
    endings: ['.astro'],
    find: gapsInAstro,
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

/** Astro's braces may hold markup, among which no comment may stand. */
function gapsInAstro(text: string, options: GapOptions): PageGaps {
  const masked = maskBraces(maskFrontMatter(text), false);
  const found = gapsInHtml({ text, masked }, options);
  if (found.kind === 'broken') return found;
  let at = 0;
  let depth = 0;
  const gaps = found.gaps.map((gap) => {
    for (const [brace] of masked.slice(at, gap.start).matchAll(/[{}]/g))
      depth += brace === '{' ? 1 : -1;
    at = gap.start;
    const { todo, ...rest } = gap;
    return depth > 0 ? rest : gap;
  });
  return { ...found, gaps };
}

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
