/** Pictures without alt text in JSX and TSX, read by Babel's parser: what a program says in braces counts as said. */
import { type ParserPlugin, parse } from '@babel/parser';
import type { Gap, GapOptions, PageGaps, Slot } from './gap.ts';
import { attributeMarkup, escapeAttribute } from './html.ts';
import { addressesOfSrcset } from './srcset.ts';
import {
  importedPictures,
  isNode,
  nameIn,
  nodesBelow,
  nodesOf,
  pictureIn,
  type SyntaxNode,
  textIn,
} from './syntax.ts';

/** A comment where markup stands; between other code there is no place for one. */
const todo = '{/* TODO: alt text */}';

interface Attribute {
  /** Undefined: only the program knows. */
  readonly text: string | undefined;
  readonly value: SyntaxNode | undefined;
  readonly start: number;
  readonly end: number;
}

/** An element of the page. */
interface JsxElement {
  readonly name: string;
  readonly node: SyntaxNode;
  /** Behind its name. */
  readonly nameEnd: number;
  readonly attributes: ReadonlyMap<string, Attribute>;
  /** Whether attributes come from elsewhere too ({...props}). */
  readonly isOpen: boolean;
  readonly children: readonly SyntaxNode[];
}

/** Where a node stands. */
interface Surroundings {
  readonly isHidden: boolean;
  /** The link or button that it stands in. */
  readonly control?: JsxElement;
  readonly picture?: JsxElement;
  /** Whether it stands among an element's children. */
  readonly isChild: boolean;
}

/** @param isTyped whether it is TypeScript */
export function gapsInJsx(text: string, isTyped: boolean, options: GapOptions): PageGaps {
  const root = parsed(text, isTyped);
  if ('reason' in root) return { kind: 'broken', offset: root.start, reason: String(root.reason) };
  const files = importedPictures(root);
  const gaps: Gap[] = [];
  const stack: [SyntaxNode, Surroundings][] = [[root, { isHidden: false, isChild: false }]];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const [node, around] = next;
    const element = elementOf(node);
    const isImage = element?.name === 'img' || element?.name === 'Image';
    if (isImage && needsText(element, around, options)) gaps.push(gapOf(element, around, files));
    stack.push(...below(node, element, around));
  }
  return { kind: 'read', gaps: gaps.sort((a, b) => a.start - b.start) };
}

/** The tree, or where and why there is none. */
function parsed(text: string, isTyped: boolean): SyntaxNode {
  const plugins: ParserPlugin[] = isTyped ? ['jsx', 'typescript', 'decorators'] : ['jsx', 'flow'];
  try {
    const file: unknown = parse(text, { plugins, sourceType: 'unambiguous' });
    if (isNode(file)) return file;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const start = 'pos' in error && typeof error.pos === 'number' ? error.pos : 0;
    const reason = error.message.replace(/\s*\(\d+:\d+\)$/, '');
    return { type: 'broken', start, end: start, reason };
  }
  throw new TypeError('the parser gave no tree');
}

/** What stands in a node, with its surroundings. */
function below(
  node: SyntaxNode,
  element: JsxElement | undefined,
  { picture: _, ...around }: Surroundings,
): [SyntaxNode, Surroundings][] {
  const all = nodesBelow(node);
  if (node.type !== 'JSXFragment' && !element)
    return all.map((child) => [child, { ...around, isChild: false }]);
  const children = new Set(nodesOf(node.children));
  const inside: Surroundings = {
    ...around,
    isHidden: around.isHidden || element?.attributes.get('aria-hidden')?.text === 'true',
    isChild: true,
    ...(element && isControl(element) && { control: element }),
    ...(element?.name === 'picture' && { picture: element }),
  };
  // Markup in an attribute stands where the component puts it.
  const elsewhere: Surroundings = { isHidden: false, isChild: false };
  return all.map((child) => [child, children.has(child) ? inside : elsewhere]);
}

function isControl({ name, attributes }: JsxElement): boolean {
  return name === 'button' || (name !== 'link' && attributes.has('href'));
}

function elementOf(node: SyntaxNode): JsxElement | undefined {
  const { openingElement: opening } = node;
  if (node.type !== 'JSXElement' || !isNode(opening) || !isNode(opening.name)) return undefined;
  const all = nodesOf(opening.attributes);
  const named = all.filter(({ type }) => type === 'JSXAttribute');
  return {
    name: nameIn(opening.name),
    node,
    nameEnd: opening.name.end,
    attributes: new Map(named.map((each) => [nameIn(each.name), attributeOf(each)])),
    isOpen: named.length < all.length,
    children: nodesOf(node.children),
  };
}

function attributeOf({ start, end, value }: SyntaxNode): Attribute {
  // Without a value it is true.
  if (!isNode(value)) return { text: 'true', value: undefined, start, end };
  return { text: textIn(value), value, start, end };
}

function gapOf(
  image: JsxElement,
  { picture, isChild }: Surroundings,
  files: ReadonlyMap<string, string>,
): Gap {
  const { attributes, node } = image;
  const title = attributes.get('title')?.text?.trim();
  return {
    problem: attributes.has('alt') ? 'empty' : 'missing',
    start: node.start,
    end: node.end,
    sources: sourcesOf(image, picture, files),
    ...(title && { title }),
    slot: slotOf(image),
    ...(isChild && { todo }),
  };
}

function needsText(
  { attributes, isOpen }: JsxElement,
  { isHidden, control }: Surroundings,
  { includeEmpty }: GapOptions,
): boolean {
  const said = (name: string): string | undefined => attributes.get(name)?.text?.trim();
  if (isHidden || said('aria-hidden') === 'true') return false;
  if (['presentation', 'none'].includes(said('role')?.toLowerCase() ?? '')) return false;
  // A name that a person gave, or that the program gives.
  if (['aria-label', 'aria-labelledby'].some((name) => attributes.has(name) && said(name) !== ''))
    return false;
  const alt = attributes.get('alt');
  if (!alt) return !isOpen;
  if (alt.text === undefined || alt.text.trim() !== '') return false;
  return includeEmpty || alt.text !== '' || (control !== undefined && !hasName(control));
}

/** Whether a link or button says what it is for by anything but pictures without text. */
function hasName(control: JsxElement): boolean {
  const stack = [control];
  for (let element = stack.pop(); element; element = stack.pop()) {
    const { name, attributes, isOpen, children } = element;
    // What a component or a drawing shows is not known.
    const isUnknown = name === 'svg' || (/^[A-Z]/.test(name) && name !== 'Image');
    if (isOpen || (isUnknown && element !== control)) return true;
    for (const label of ['aria-label', 'aria-labelledby', 'title', 'alt'])
      if (attributes.has(label) && attributes.get(label)?.text?.trim() !== '') return true;
    if (children.some(saysSomething)) return true;
    stack.push(...children.flatMap((child) => elementOf(child) ?? []));
  }
  return false;
}

function saysSomething({ type, value, expression }: SyntaxNode): boolean {
  if (type === 'JSXText') return String(value).trim() !== '';
  if (type === 'JSXFragment') return true;
  const isComment = isNode(expression) && expression.type === 'JSXEmptyExpression';
  return type === 'JSXExpressionContainer' && !isComment;
}

const sourceNames = ['src', 'data-src', 'srcSet', 'srcset', 'data-srcset'];

function sourcesOf(
  image: JsxElement,
  picture: JsxElement | undefined,
  files: ReadonlyMap<string, string>,
): string[] {
  const alternatives = (picture?.children ?? []).flatMap((child) => elementOf(child) ?? []);
  const elements = [image, ...alternatives.filter(({ name }) => name === 'source')];
  const found = elements.flatMap(({ attributes }) =>
    sourceNames.flatMap((name) => {
      const { text, value } = attributes.get(name) ?? {};
      if (text) return /set$/i.test(name) ? addressesOfSrcset(text) : [text.trim()];
      return pictureIn(value, files) ?? [];
    }),
  );
  return [...new Set(found)];
}

/** Where the text goes: in the place of an empty value, or into an attribute of its own behind the address. */
function slotOf({ attributes, nameEnd }: JsxElement): Slot {
  const alt = attributes.get('alt');
  if (alt)
    return { start: alt.start, end: alt.end, markup: (words) => attributeMarkup('alt', words) };
  const named = sourceNames.map((name) => attributes.get(name)).find((found) => found);
  const at = (named ?? [...attributes.values()].at(0))?.end ?? nameEnd;
  return { start: at, end: at, markup: (words) => ` alt="${escapeAttribute(words, '"')}"` };
}
