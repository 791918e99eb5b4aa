/** Pictures without alt text in PHP: its code is passed over; pictures that it writes are told, and left to a person. */
import { mask, maskFrontMatter, maskTemplates } from './expressions.ts';
import type { Gap, GapOptions, PageGaps } from './gap.ts';
import { gapsInHtml } from './html.ts';

/** Strings and comments of PHP, and what ends its code. */
const step =
  /\/\*[\s\S]*?(?:\*\/|$)|(?:\/\/|#(?!\[))(?:(?!\?>)[^\r\n])*|"(?:\\[\s\S]|[^"\\])*(?:"|$)|'(?:\\[\s\S]|[^'\\])*(?:'|$)|<<<[ \t]*(["']?)(\w+)\1\r?\n[\s\S]*?(?:\n[ \t]*\2\b|$)|\?>/g;

interface Code {
  readonly start: number;
  readonly end: number;
  /** Its strings. */
  readonly strings: readonly { readonly start: number; readonly text: string }[];
}

export function gapsInPhp(text: string, options: GapOptions): PageGaps {
  const codes = [...codesOf(text)];
  let masked = '';
  let at = 0;
  for (const { start, end } of codes) {
    masked += text.slice(at, start) + mask(text.slice(start, end));
    at = end;
  }
  masked = maskTemplates(maskFrontMatter(masked + text.slice(at)));
  const found = gapsInHtml({ text, masked }, options);
  if (found.kind === 'broken') return found;
  const written = codes.flatMap(({ strings }) => strings.flatMap(gapsInString));
  return { ...found, gaps: [...found.gaps, ...written].sort((a, b) => a.start - b.start) };
}

function* codesOf(text: string): Generator<Code> {
  const opening = /<\?(?:php\b|=|(?!xml))/gi;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const strings: { start: number; text: string }[] = [];
    step.lastIndex = opening.lastIndex;
    let end = text.length;
    for (let part = step.exec(text); part; part = step.exec(text)) {
      const [token] = part;
      if (token === '?>') {
        end = step.lastIndex;
        break;
      }
      if (/^["'<]/.test(token)) strings.push({ start: part.index, text: token });
    }
    yield { start: found.index, end, strings };
    opening.lastIndex = end;
  }
}

/** Tags in a string of a program: what is put together around them is not known, so nobody else should write there. */
function gapsInString({ start, text }: { readonly start: number; readonly text: string }): Gap[] {
  return [...text.matchAll(/<img\b[^>]*>/gi)].flatMap((found): Gap[] => {
    const [tag] = found;
    if (/\b(?:alt|aria-label|aria-labelledby|role)\b/i.test(tag)) return [];
    const at = start + found.index;
    const source = /\ssrc=\\?["']([^"'\\$<>{}]+)\\?["']/i.exec(tag)?.[1];
    return [
      {
        ...{ problem: 'missing', start: at, end: at + tag.length },
        sources: source === undefined ? [] : [source],
        slot: { start: at, end: at, markup: () => '' },
        unsafe: 'it stands in a string of PHP; write its text by hand',
      },
    ];
  });
}
