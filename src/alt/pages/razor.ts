/** Pictures without alt text in Razor (.cshtml, .razor): its C# is passed over, the markup among it is not. */
import { mask } from './expressions.ts';
import type { GapOptions, PageGaps } from './gap.ts';
import { gapsInHtml } from './html.ts';

/**
 * @param base what addresses are relative to where the page has no `<base>`
 * https://learn.microsoft.com/aspnet/core/mvc/views/razor
 */
export function gapsInRazor(text: string, options: GapOptions, base?: string): PageGaps {
  const masked = new Razor(text).masked();
  if (typeof masked !== 'string') return { kind: 'broken', ...masked };
  const found = gapsInHtml({ text, masked }, options);
  if (found.kind === 'broken') return found;
  const ownBase = found.base === undefined ? base : addressIn(found.base);
  const gaps = found.gaps.map((gap) => ({ ...gap, sources: gap.sources.map(addressIn) }));
  return { kind: 'read', gaps, ...(ownBase !== undefined && { base: ownBase }) };
}

/** `~/` is the application's folder, `@@` an @. */
function addressIn(source: string): string {
  return source.replace(/^~\//, '/').replaceAll('@@', '@');
}

/** Markup, and what ends it: nothing, a section's brace, the element's end tag, or the line's end. */
interface MarkupMode {
  readonly kind: 'markup';
  readonly ends: 'never' | 'brace' | 'element' | 'line';
  /** Names of elements that are open. */
  readonly open: string[];
  /** Braces that are open. */
  braces: number;
  /** The tag in which we are, its attribute's quotation mark. */
  tag?: { readonly name: string; readonly isEnd: boolean; quote?: string };
  /** The script or style in which we are. */
  raw?: string;
}

/** C# up to a closing bracket. */
interface CodeMode {
  readonly kind: 'code';
  readonly start: number;
  readonly close: string;
  /** Whether it holds statements, among which elements may stand. */
  readonly hasStatements: boolean;
  /** Whether a statement may begin here. */
  isFresh: boolean;
  /** Behind the bracket: more of an expression, more of a statement's head, or its next branch. */
  readonly then?: 'chain' | 'head' | 'branch';
  /** The statement's word. */
  readonly word?: string;
}

/** An interpolated string, in whose braces C# stands. */
interface StringMode {
  readonly kind: 'string';
  readonly isVerbatim: boolean;
}

type Mode = MarkupMode | CodeMode | StringMode;

interface Break {
  readonly offset: number;
  readonly reason: string;
}

const voidElements = new Set(
  'area base br col embed hr img input link meta param source track wbr'.split(' '),
);

/** Statements with braces, and what goes on behind these. */
const branches: Readonly<Record<string, RegExp | undefined>> = {
  if: /\s*else\b(?:\s*if\b)?/y,
  try: /\s*(?:catch|finally)\b/y,
  do: /\s*while\b/y,
};

const statement = /(?:await\s+)?(if|foreach|for|while|switch|lock|using|try|do)\b(?=\s*[({])/y;

/** Directives, which take a line. */
const directive =
  /(?:model|using|inject|inherits|namespace|page|addTagHelper|removeTagHelper|tagHelperPrefix|layout|implements|attribute|typeparam|rendermode|preservewhitespace)(?=\s|$)[^\r\n]*/y;

/** The parts of C# that matter: what may hold brackets that are none, brackets, where statements begin, markup. */
const token = new RegExp(
  [
    /\/\/[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)|#[a-z]+[^\r\n]*/,
    /\$*("{3,})[\s\S]*?(?:\1|$)/,
    /(?<interpolated>\$@?"|@\$")/,
    /@"(?:[^"]|"")*"?|"(?:\\.|[^"\\\r\n])*"?|'(?:\\.|[^'\\\r\n])+'/,
    /(?<comment>@\*)|(?<line>@:)|@(?<template><[A-Za-z])/,
    /(?<element><[A-Za-z])|(?<note><!--)/,
    /(?<open>[([{])|(?<close>[)\]}])|(?<end>;)/,
    /(?<label>(?:case\b(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])+'|::|[^:;{}"']){0,200}|default\s*):(?!:))/,
    /\w+|\S/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

class Razor {
  readonly #text: string;
  #at = 0;
  readonly #stack: Mode[] = [markupMode('never')];
  readonly #ranges: { readonly start: number; readonly end: number }[] = [];
  #broken?: Break;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text with its C# masked, or why that cannot be told from its markup. */
  masked(): string | Break {
    while (this.#at < this.#text.length && !this.#broken) {
      const mode = this.#stack.at(-1);
      if (mode === undefined) break;
      if (mode.kind === 'markup') this.#readMarkup(mode);
      else if (mode.kind === 'code') this.#readCode(mode);
      else this.#readString(mode);
    }
    const open = this.#stack.find((mode) => mode.kind === 'code');
    if (open) this.#break(open.start, 'its C# is not closed');
    if (this.#broken) return this.#broken;
    let result = '';
    let at = 0;
    for (const { start, end } of this.#ranges) {
      result += this.#text.slice(at, start) + mask(this.#text.slice(start, end));
      at = end;
    }
    return result + this.#text.slice(at);
  }

  #break(offset: number, reason: string): void {
    this.#broken ??= { offset, reason };
  }

  /** Takes what follows, up to a place, as C#. */
  #hide(end: number): void {
    if (end > this.#at) this.#ranges.push({ start: this.#at, end });
    this.#at = end;
  }

  /** What a sticky pattern finds at a place. */
  #match(pattern: RegExp, at: number): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(this.#text);
  }

  #end(sign: string, from: number): number {
    const at = this.#text.indexOf(sign, from);
    return at < 0 ? this.#text.length : at + sign.length;
  }

  #readMarkup(mode: MarkupMode): void {
    const { tag, raw } = mode;
    let step = /<!--|<\/?[A-Za-z][^\s/>@]*|[@{}\n]/g;
    if (tag) step = tag.quote === undefined ? /["'>@\n]/g : /["'@\n]/g;
    else if (raw !== undefined) step = raw === 'script' ? /<\/script|[@{}]/gi : /<\/style|[@{}]/gi;
    const found = this.#match(step, this.#at);
    if (!found) {
      this.#at = this.#text.length;
      return;
    }
    const [sign] = found;
    const { index } = found;
    this.#at = index + sign.length;
    if (sign === '@') this.#readTransition(mode, index);
    else if (sign === '<!--') this.#at = this.#end('-->', this.#at);
    else if (sign.startsWith('<')) {
      delete mode.raw;
      mode.tag = { name: sign.replace(/^<\/?/, '').toLowerCase(), isEnd: sign[1] === '/' };
    } else if (sign === '\n') {
      if (mode.ends === 'line') this.#leave();
    } else if (tag) this.#readTag(mode, tag, sign);
    else if (mode.ends === 'brace') {
      mode.braces += sign === '{' ? 1 : -1;
      if (mode.braces > 0) return;
      this.#at = index;
      this.#leave();
      this.#hide(index + 1);
    }
  }

  #readTag(mode: MarkupMode, tag: NonNullable<MarkupMode['tag']>, sign: string): void {
    if (sign !== '>') {
      if (tag.quote === undefined) tag.quote = sign;
      else if (tag.quote === sign) delete tag.quote;
      return;
    }
    delete mode.tag;
    const { name, isEnd } = tag;
    const isEmpty = voidElements.has(name) || this.#text[this.#at - 2] === '/';
    if (!isEnd && !isEmpty && /^(?:script|style)$/.test(name)) mode.raw = name;
    if (mode.ends !== 'element') return;
    if (isEnd) {
      const from = mode.open.lastIndexOf(name);
      if (from >= 0) mode.open.length = from;
    } else if (!isEmpty) mode.open.push(name);
    if (mode.open.length === 0) this.#leave();
  }

  /** Goes back from markup to what it stands in. */
  #leave(): void {
    this.#stack.pop();
    const below = this.#stack.at(-1);
    if (below?.kind === 'code') below.isFresh = true;
  }

  /** What begins with the @ at a place in markup. */
  #readTransition(mode: MarkupMode, start: number): void {
    const next = this.#text[start + 1] ?? '';
    const isInTag = mode.tag !== undefined && mode.tag.quote === undefined;
    if (next === '@') {
      this.#at = start + 2;
      return;
    }
    // a@b is an address of mail; Blazor's events and bindings are attributes of that name.
    if (/\w/.test(this.#text[start - 1] ?? '') && /\w/.test(next)) return;
    if (isInTag && this.#match(/@(?!attributes\b)(?:[\w-]+:\w|[\w-]+\s*=)/y, start)) return;
    this.#at = start;
    if (next === '*') this.#hideComment();
    else if (next === '{' || next === '(') this.#open(start + 1, next === '{', undefined);
    else this.#readWord(start);
  }

  #hideComment(): void {
    const start = this.#at;
    const end = this.#text.indexOf('*@', start + 2);
    if (end < 0) this.#break(start, 'a comment is not closed');
    else this.#hide(end + 2);
  }

  /** A statement, directive or expression behind an @. */
  #readWord(start: number): void {
    const word = start + 1;
    const section = this.#match(/section\s+\w+\s*\{/y, word);
    const block = this.#match(/(?:functions|code)\s*(?=\{)|helper\s+\w+\s*(?=\()/y, word);
    const opened = this.#match(statement, word);
    const line = this.#match(directive, word);
    const name = this.#match(/(?:await\s+)?[A-Za-z_]\w*/y, word);
    const head = /[\r\n]?[ \t\ufeff]*$/.exec(this.#text.slice(Math.max(0, start - 200), start));
    if (section) {
      this.#hide(word + section[0].length);
      this.#stack.push({ ...markupMode('brace'), braces: 1 });
    } else if (block || opened) {
      const found = block ?? opened;
      this.#hide(word + (found?.[0].length ?? 0));
      this.#readHead(opened?.[1] ?? '');
    } else if (line && (start === 0 || /^[\r\n\ufeff]/.test(head?.[0] ?? '')))
      this.#hide(word + line[0].length);
    else if (name) {
      this.#hide(word + name[0].length);
      this.#readChain();
    } else this.#at = word;
  }

  /** More of an expression: names, indices, calls. */
  #readChain(): void {
    const names = this.#match(/(?:!?\??\.[A-Za-z_]\w*)*/y, this.#at);
    this.#hide(this.#at + (names?.[0].length ?? 0));
    const bracket = this.#match(/\(|!?\??\[/y, this.#at);
    if (bracket) this.#open(this.#at + bracket[0].length - 1, false, 'chain');
  }

  /** More of a statement's head, up to its brace. */
  #readHead(word: string): void {
    const found = this.#match(/\s*(?:when\b\s*)?(?=([({]?))/y, this.#at);
    const [space = '', bracket] = found ?? [];
    if (!bracket) {
      this.#break(this.#at, `a statement of C# has no {`);
      return;
    }
    this.#open(this.#at + space.length, bracket === '{', bracket === '{' ? 'branch' : 'head', word);
  }

  /** Enters the bracket at a place. */
  #open(bracket: number, hasStatements: boolean, then: CodeMode['then'], word?: string): void {
    const start = this.#at;
    const close = { '(': ')', '[': ']', '{': '}' }[this.#text[bracket]] ?? '';
    this.#hide(bracket + 1);
    this.#stack.push({
      ...{ kind: 'code', start, close, hasStatements, isFresh: true },
      ...(then && { then }),
      ...(word !== undefined && { word }),
    });
  }

  #readCode(mode: CodeMode): void {
    const found = this.#match(token, this.#at);
    if (!found) {
      this.#hide(this.#text.length);
      return;
    }
    const { index } = found;
    const { comment, line, template, element, note, open, close, end, label, interpolated } =
      found.groups ?? {};
    this.#hide(index);
    const mayBegin = mode.hasStatements && mode.isFresh;
    if (comment) this.#hideComment();
    else if (template || (element && mayBegin)) {
      if (template) this.#hide(index + 1);
      this.#stack.push(markupMode('element'));
    } else if (note && mayBegin) this.#at = this.#end('-->', index);
    else if (line) {
      this.#hide(index + line.length);
      this.#stack.push(markupMode('line'));
    } else if (open) this.#open(index, open === '{' && mode.hasStatements, undefined);
    else if (close) this.#close(mode, close);
    else {
      this.#hide(index + found[0].length);
      if (interpolated)
        this.#stack.push({ kind: 'string', isVerbatim: interpolated.includes('@') });
      const isComment = /^(?:\/[/*]|#)/.test(found[0]);
      mode.isFresh = Boolean(end || (label && mayBegin)) || (isComment && mode.isFresh);
    }
  }

  #close(mode: CodeMode, sign: string): void {
    if (sign !== mode.close) {
      this.#break(this.#at, `${sign} closes no bracket of the C#`);
      return;
    }
    this.#hide(this.#at + 1);
    this.#stack.pop();
    this.#hideInTag(mode.start);
    const below = this.#stack.at(-1);
    if (below?.kind === 'code') below.isFresh = sign === '}';
    const { then, word = '' } = mode;
    if (then === 'chain') this.#readChain();
    else if (then === 'head') this.#readHead(word);
    else if (then === 'branch') {
      const branch = branches[word];
      const found = branch && this.#match(branch, this.#at);
      if (!found) return;
      this.#hide(this.#at + found[0].length);
      if (word !== 'do') this.#readHead(word);
      else
        this.#open(this.#at + (this.#match(/\s*/y, this.#at)?.[0].length ?? 0), false, undefined);
    }
  }

  /** What C# writes among a tag's attributes is not looked into. */
  #hideInTag(start: number): void {
    const below = this.#stack.at(-1);
    if (below?.kind !== 'markup' || below.tag === undefined) return;
    while ((this.#ranges.at(-1)?.start ?? -1) >= start) this.#ranges.pop();
    this.#ranges.push({ start, end: this.#at });
  }

  #readString({ isVerbatim }: StringMode): void {
    const found = this.#match(isVerbatim ? /\{\{|\{|""|"/g : /\\.|\{\{|\{|"/g, this.#at);
    if (!found) {
      this.#hide(this.#text.length);
      return;
    }
    const [sign] = found;
    if (sign === '{') this.#open(found.index, false, undefined);
    else {
      this.#hide(found.index + sign.length);
      if (sign === '"') this.#stack.pop();
    }
  }
}

function markupMode(ends: MarkupMode['ends']): MarkupMode {
  return { kind: 'markup', ends, open: [], braces: 0 };
}
