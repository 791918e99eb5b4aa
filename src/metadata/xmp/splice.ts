/** Changes of an XML text at places of its tree: all other characters stay. */
import type { XmlElement } from './tree.ts';

/** A piece of a text and what takes its place. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with all splices, which must not overlap; of two at one place the first goes first. */
export function spliced(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const splice of [...splices].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, splice.start) + splice.text;
    at = splice.end;
  }
  return result + text.slice(at);
}

/** Another content for an element. @param content XML */
export function withContent(text: string, element: XmlElement, content: string): Splice {
  if (element.end > element.inner)
    return { start: element.inner, end: element.innerEnd, text: content };
  const slash = text.lastIndexOf('/', element.end);
  return { start: slash, end: element.end, text: `>${content}</${element.name}>` };
}

/** More content before that of an element. @param content XML */
export function withContentBefore(text: string, element: XmlElement, content: string): Splice {
  if (element.end === element.inner) return withContent(text, element, content);
  return { start: element.inner, end: element.inner, text: content };
}

/** Without an element and the white space before it. */
export function withoutElement(text: string, { start, end }: XmlElement): Splice {
  return { start: text.slice(0, start).trimEnd().length, end, text: '' };
}

/** Another value for an attribute, or none. */
export function withAttribute(
  text: string,
  element: XmlElement,
  name: string,
  value: string | undefined,
): Splice {
  const tag = text.slice(element.start, element.inner);
  for (const found of tag.matchAll(/(\s+)([^\s=<>/"']+)\s*=\s*("[^"]*"|'[^']*')/g)) {
    if (found[2] !== name) continue;
    const start = element.start + found.index;
    const end = start + found[0].length;
    const written = value === undefined ? '' : `${found[1]}${name}="${escapeXml(value)}"`;
    return { start, end, text: written };
  }
  throw new RangeError(`the tag ${tag} has no attribute ${name}`);
}

/** Characters that XML 1.0 cannot hold are left out. */
export function escapeXml(text: string): string {
  return [...text]
    .filter((c) => /[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(c))
    .join('')
    .replace(/[&<>"\r]/g, (c) => `&#${c.charCodeAt(0)};`);
}
