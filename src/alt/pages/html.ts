/** Pictures without alt text in HTML, and in templates that are HTML with expressions. */
import { type DefaultTreeAdapterMap, html, type ParserError, parse } from 'parse5';
import { mark } from './expressions.ts';
import type { Gap, GapOptions, PageGaps, Slot } from './gap.ts';
import { addressesOfSrcset } from './srcset.ts';

type Node = DefaultTreeAdapterMap['node'];
type Element = DefaultTreeAdapterMap['element'];

/** A page's text, and the same with its expressions masked. */
export interface Markup {
  readonly text: string;
  readonly masked: string;
  /** What a comment looks like; by default as in HTML. */
  readonly todo?: string;
}

export const htmlTodo = '<!-- TODO: alt text -->';

/** Errors behind which what follows may be read as something else than it was meant. */
const breaking: Readonly<Record<string, string>> = {
  'eof-in-tag': 'a tag is not closed',
  'eof-in-comment': 'a comment is not closed',
  'eof-in-cdata': 'a CDATA section is not closed',
  'eof-in-script-html-comment-like-text': 'a script is not closed',
  'eof-in-element-that-can-contain-only-text': 'a script, style, title or textarea is not closed',
  'unexpected-character-in-attribute-name':
    'a quotation mark or < stands in the name of an attribute',
  'unexpected-character-in-unquoted-attribute-value':
    'an attribute has a quotation mark within its value',
  'unexpected-equals-sign-before-attribute-name': 'an attribute has no name',
};

/** Where an element stands. */
interface Place {
  readonly node: Node;
  readonly parent?: Element;
  /** Whether assistive technology is told to pass over it. */
  readonly isHidden: boolean;
  /** The link or button that it stands in. */
  readonly control?: Element;
}

/** Finds the pictures of a page, or of a piece of one, in the order of the text. */
export function gapsInHtml(markup: Markup, options: GapOptions): PageGaps {
  let broken: ParserError | undefined;
  const document = parse(markup.masked, {
    sourceCodeLocationInfo: true,
    scriptingEnabled: false,
    onParseError: (error) => {
      if (error.code in breaking) broken ??= error;
    },
  });
  if (broken) return { kind: 'broken', offset: broken.startOffset, reason: breaking[broken.code] };
  const gaps: Gap[] = [];
  let base: string | undefined;
  for (const place of places(document)) {
    if (!('attrs' in place.node)) continue;
    if (place.node.tagName === 'base') base ??= attribute(place.node, 'href');
    const gap =
      place.node.tagName === 'img' ? gapOf(place.node, place, markup, options) : undefined;
    if (gap) gaps.push(gap);
  }
  // A table's pictures may have been moved before it.
  gaps.sort((a, b) => a.start - b.start);
  return { kind: 'read', gaps, ...(base !== undefined && { base }) };
}

/** All nodes, parents first. Pages may be nested deeper than calls can be. */
function* places(root: Node): Generator<Place> {
  const stack: Place[] = [{ node: root, isHidden: false }];
  for (let place = stack.pop(); place; place = stack.pop()) {
    yield place;
    const { node } = place;
    const children = childrenOf(node);
    const below = 'attrs' in node ? placeBelow(node, place) : { isHidden: place.isHidden };
    for (const child of children.toReversed()) stack.push({ ...below, node: child });
  }
}

function childrenOf(node: Node): Node[] {
  if ('content' in node) return node.content.childNodes;
  return 'childNodes' in node ? node.childNodes : [];
}

function placeBelow(element: Element, { isHidden, control }: Place): Omit<Place, 'node'> {
  const isControl =
    element.tagName === 'button' ||
    (element.tagName === 'a' && attribute(element, 'href') !== undefined);
  const nearest = isControl ? element : control;
  return {
    parent: element,
    isHidden: isHidden || attribute(element, 'aria-hidden') === 'true',
    ...(nearest && { control: nearest }),
  };
}

function attribute(element: Element, name: string): string | undefined {
  return element.attrs.find((attr) => attr.name === name)?.value;
}

function gapOf(image: Element, place: Place, markup: Markup, options: GapOptions): Gap | undefined {
  const location = image.sourceCodeLocation;
  if (!location || !needsText(image, place, options)) return undefined;
  const title = attribute(image, 'title')?.trim();
  return {
    problem: attribute(image, 'alt') === undefined ? 'missing' : 'empty',
    start: location.startOffset,
    end: location.startTag?.endOffset ?? location.endOffset,
    sources: sourcesOf(image, place.parent),
    ...(title && !title.includes(mark) && { title }),
    slot: slotOf(image, markup),
    todo: markup.todo ?? htmlTodo,
  };
}

/** Attributes that templates give an alt text by. */
const boundAlt = /^(?!data-).*[:.[-]alt\]?$/;

function needsText(image: Element, place: Place, { includeEmpty }: GapOptions): boolean {
  const role = attribute(image, 'role')?.trim().toLowerCase();
  if (role === 'presentation' || role === 'none') return false;
  if (place.isHidden || attribute(image, 'aria-hidden') === 'true') return false;
  // A person's name for it, or an expression that may be one.
  if (attribute(image, 'aria-label')?.trim() || attribute(image, 'aria-labelledby')?.trim())
    return false;
  if (
    image.attrs.some(({ name }) => name.includes(mark) || name === 'v-bind' || boundAlt.test(name))
  )
    return false;
  const alt = attribute(image, 'alt');
  if (alt === undefined) return true;
  if (alt.trim() !== '') return false;
  // An empty text says that the picture is decoration, which spaces do not; nor can it be all that a link says.
  return includeEmpty || alt !== '' || (place.control !== undefined && !hasName(place.control));
}

/** Whether a link or button says what it is for by anything but pictures without text. */
function hasName(control: Element): boolean {
  for (const { node } of places(control)) {
    if ('value' in node && node.value.trim() !== '') return true;
    if (!('attrs' in node)) continue;
    const names = ['aria-label', 'aria-labelledby', 'title', 'alt'];
    if (names.some((name) => attribute(node, name)?.trim())) return true;
    if (node.attrs.some(({ name }) => name.includes(mark) || /^(?:v-|[:@[])/.test(name)))
      return true;
    // What a component or a drawing shows is not known.
    if (node.tagName.includes('-') || node.namespaceURI !== html.NS.HTML) return true;
  }
  return false;
}

/** The attributes that name the picture; some pages load it late. */
const sourceNames = ['src', 'data-src', 'srcset', 'data-srcset'];

function sourcesOf(image: Element, parent: Element | undefined): string[] {
  const alternatives = parent?.tagName === 'picture' ? parent.childNodes : [];
  const elements = [image, ...alternatives.filter((node) => 'attrs' in node)];
  const found = elements.flatMap((element) => {
    if (element !== image && element.tagName !== 'source') return [];
    return sourceNames.flatMap((name) => {
      const value = attribute(element, name)?.trim();
      if (!value) return [];
      return name.endsWith('set') ? addressesOfSrcset(value) : [value];
    });
  });
  return [...new Set(found)];
}

/** Where the text goes: between the quotation marks that are there, or into an attribute of its own. */
function slotOf(image: Element, { text }: Markup): Slot {
  const location = image.sourceCodeLocation;
  const attrs = location?.attrs ?? {};
  const { alt } = attrs;
  if (alt) {
    const raw = text.slice(alt.startOffset, alt.endOffset);
    const [, before, quote] = /^([^=]*=\s*(["']))[\s\S]*\2$/.exec(raw) ?? [];
    if (before !== undefined && quote !== undefined)
      return {
        start: alt.startOffset + before.length,
        end: alt.endOffset - 1,
        markup: (words) => escapeAttribute(words, quote),
      };
    const [name] = /^[^\s=]*/.exec(raw) ?? ['alt'];
    return {
      start: alt.startOffset,
      end: alt.endOffset,
      markup: (words) => attributeMarkup(name, words),
    };
  }
  const named = sourceNames.map((name) => attrs[name]).find((found) => found !== undefined);
  const neighbour = named ?? Object.values(attrs).at(0);
  const at = neighbour?.endOffset ?? (location?.startOffset ?? 0) + '<img'.length;
  // On a line of its own where its neighbour is.
  const [space] = /\s*$/.exec(text.slice(location?.startOffset, neighbour?.startOffset)) ?? [''];
  const gap = neighbour && /[\r\n]/.test(space) ? space : ' ';
  return { start: at, end: at, markup: (words) => gap + attributeMarkup('alt', words) };
}

/** An attribute with its value. */
export function attributeMarkup(name: string, text: string): string {
  return `${name}="${escapeAttribute(text, '"')}"`;
}

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '{': '&#123;',
  '}': '&#125;',
  '@': '&#64;',
};

/** Braces and @ too: templates would read them. */
export function escapeAttribute(text: string, quote: string): string {
  return text.replace(/[&<>"'{}@]/g, (c) => (/["']/.test(c) && c !== quote ? c : references[c]));
}
