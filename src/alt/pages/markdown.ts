/** Pictures without alt text in Markdown and MDX. */
import type { Nodes } from 'mdast';
import { fromMarkdown, type Options } from 'mdast-util-from-markdown';
import { mdxFromMarkdown } from 'mdast-util-mdx';
import { mdxjs } from 'micromark-extension-mdxjs';
import { maskBraces } from './expressions.ts';
import type { Gap, GapOptions, PageGaps } from './gap.ts';
import { gapsInHtml, htmlTodo } from './html.ts';
import { lineStarts } from './position.ts';

/** What one kind of Markdown asks for. */
interface Dialect {
  readonly parsing: Options;
  readonly todo: string;
}

const plain: Dialect = { parsing: {}, todo: htmlTodo };
const mdx: Dialect = {
  parsing: { extensions: [mdxjs()], mdastExtensions: [mdxFromMarkdown()] },
  todo: '{/* TODO: alt text */}',
};

/**
 * Finds the pictures of a Markdown page: its own, and those in HTML within it.
 * @param masked the text with its expressions masked
 */
export function gapsInMarkdown(text: string, masked: string, options: GapOptions): PageGaps {
  return gapsIn(text, masked, plain, options);
}

/** Finds the pictures of an MDX page: Markdown's, `<img>` and `<Image>`. Expressions are not looked into. */
export function gapsInMdx(text: string, masked: string, options: GapOptions): PageGaps {
  return gapsIn(text, masked, mdx, options);
}

function gapsIn(text: string, masked: string, dialect: Dialect, options: GapOptions): PageGaps {
  let root: Nodes;
  try {
    root = fromMarkdown(masked, dialect.parsing);
  } catch (error) {
    return brokenAt(text, error);
  }
  const gaps: Gap[] = [];
  const references: { readonly gap: Gap; readonly identifier: string }[] = [];
  const definitions = new Map<string, { url: string; title?: string }>();
  for (const node of nodes(root)) {
    const [start, end] = [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
    const slice = { start, text: text.slice(start, end), masked: masked.slice(start, end) };
    if (node.type === 'definition' && !definitions.has(node.identifier))
      definitions.set(node.identifier, target(node));
    else if (node.type === 'image' && !node.alt?.trim()) {
      const gap = pictureGap(slice, dialect);
      if (gap) gaps.push({ ...gap, ...sourceOf(target(node)) });
    } else if (node.type === 'imageReference' && !node.alt?.trim()) {
      const gap = pictureGap(slice, dialect);
      if (gap) references.push({ gap, identifier: node.identifier });
    } else if (node.type === 'html' || isPicture(node)) {
      const found = gapsInPiece(slice, dialect, options);
      if (found.kind === 'broken') return found;
      gaps.push(...found.gaps);
    }
  }
  for (const { gap, identifier } of references) {
    const definition = definitions.get(identifier);
    gaps.push(definition ? { ...gap, ...sourceOf(definition) } : gap);
  }
  return { kind: 'read', gaps: gaps.sort((a, b) => a.start - b.start) };
}

/** All nodes, but for what stands in a picture element, which is read as a whole. */
function* nodes(root: Nodes): Generator<Nodes> {
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    yield node;
    if ('children' in node && !isPicture(node)) stack.push(...node.children.toReversed());
  }
}

function isPicture(node: Nodes): boolean {
  return (
    (node.type === 'mdxJsxFlowElement' || node.type === 'mdxJsxTextElement') &&
    ['img', 'Image', 'picture'].includes(node.name ?? '')
  );
}

function target({ url, title }: { url: string; title?: string | null | undefined }): {
  url: string;
  title?: string;
} {
  return { url, ...(title && { title }) };
}

function sourceOf({ url, title }: { url: string; title?: string }): Partial<Gap> {
  return { sources: [url], ...(title !== undefined && { title }) };
}

/** A part of the page. */
interface Slice {
  readonly start: number;
  readonly text: string;
  readonly masked: string;
}

/** `![](...)`: Markdown has no other way to say that there is no text. Undefined where something stands there. */
function pictureGap({ start, text }: Slice, { todo }: Dialect): Gap | undefined {
  const [label] = /^!\[\s*\]/.exec(text) ?? [];
  if (label === undefined) return undefined;
  return {
    problem: 'empty',
    start,
    end: start + text.length,
    sources: [],
    slot: { start: start + 2, end: start + label.length - 1, markup: escapeLabel },
    todo,
  };
}

function escapeLabel(text: string): string {
  return text.replace(/[\\`*_[\]<>&{}~$!#|]/g, '\\$&');
}

/** HTML or JSX in the page. Masked braces are expressions of MDX; in Markdown they are text. */
function gapsInPiece(slice: Slice, dialect: Dialect, options: GapOptions): PageGaps {
  const { start, text } = slice;
  const masked = dialect === mdx ? maskBraces(slice.masked, false) : slice.masked;
  const found = gapsInHtml({ text, masked, todo: dialect.todo }, options);
  if (found.kind === 'broken') return { ...found, offset: start + found.offset };
  const gaps = found.gaps.map((gap) => ({
    ...gap,
    start: start + gap.start,
    end: start + gap.end,
    slot: { ...gap.slot, start: start + gap.slot.start, end: start + gap.slot.end },
  }));
  return { kind: 'read', gaps };
}

/** What MDX's parser says of markup that it cannot read; of a tag that is not closed it says the place in words. */
function brokenAt(text: string, error: unknown): PageGaps {
  if (!(error instanceof Error) || !('reason' in error)) throw error;
  const reason = String(error.reason);
  const [, inLine, inColumn] = /\((\d+):(\d+)-/.exec(reason) ?? [];
  const line = 'line' in error && typeof error.line === 'number' ? error.line : Number(inLine ?? 1);
  const column =
    'column' in error && typeof error.column === 'number' ? error.column : Number(inColumn ?? 1);
  const offset = (lineStarts(text)[line - 1] ?? 0) + column - 1;
  return { kind: 'broken', offset, reason };
}
