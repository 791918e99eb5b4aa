/**
 * Takes the expressions of template languages out of a page's markup, each character's place kept, so that an HTML
 * parser sees plain attributes.
 */

/** Stands for each character of an expression: one of Unicode's private use, which a parser takes as a letter. */
export const mark = '\ue000';

const closing: ReadonlyMap<string, string> = new Map([
  ['{{!--', '--}}'],
  ['{!!', '!!}'],
  ['{{', '}}'],
  ['{%', '%}'],
  ['{#', '#}'],
  ['<%', '%>'],
]);

/** A text of the same length that is no markup. */
export function mask(text: string): string {
  // Line breaks stay: Markdown's blocks depend on them.
  return text.replace(/[^\r\n]/g, mark);
}

/** Masks `{{ }}`, `{!! !!}`, `{% %}`, `{# #}` and `<% %>`. What is not closed is no expression and stays. */
export function maskTemplates(text: string): string {
  const opening = /\{\{!--|\{!!|\{\{|\{%|\{#|<%/g;
  const unclosed = new Set<string>();
  let result = '';
  let at = 0;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const [open] = found;
    if (unclosed.has(open)) continue;
    const close = closing.get(open) ?? '';
    const end = text.indexOf(close, opening.lastIndex);
    if (end < 0) {
      unclosed.add(open);
      continue;
    }
    result += text.slice(at, found.index) + mask(text.slice(found.index, end + close.length));
    at = end + close.length;
    opening.lastIndex = at;
  }
  return result + text.slice(at);
}

/**
 * Masks `{...}` (and `` `...` ``) of markup like JSX among a tag's attributes, where quoted values stay as they are.
 * With `everywhere`, also between tags and in quoted values: as in Svelte, whose braces hold no markup.
 */
export function maskBraces(text: string, everywhere: boolean): string {
  const step = /<!--|<\/?[A-Za-z]|["'`{>]/g;
  let result = '';
  let at = 0;
  let tag: string | undefined;
  for (let found = step.exec(text); found; found = step.exec(text)) {
    const [sign] = found;
    const start = found.index;
    if (tag === undefined) {
      if (sign === '<!--') step.lastIndex = after(text, '-->', step.lastIndex);
      else if (sign.startsWith('<'))
        tag = /^<\/?[^\s/>{]*/.exec(text.slice(start, start + 64))?.[0];
      if (sign !== '{' || !everywhere) continue;
    } else if (sign === '>') {
      // Scripts and styles have braces of their own.
      if (/^<(?:script|style)$/i.test(tag) && text[start - 1] !== '/')
        step.lastIndex = rawEnd(text, tag.slice(1), step.lastIndex);
      tag = undefined;
      continue;
    } else if (sign === '"' || sign === "'") {
      if (!everywhere) step.lastIndex = after(text, sign, step.lastIndex);
      continue;
    } else if (sign.startsWith('<')) continue;
    const end = sign === '`' ? after(text, '`', start + 1) : bracesEnd(text, start);
    result += text.slice(at, start) + mask(text.slice(start, end));
    at = end;
    step.lastIndex = end;
  }
  return result + text.slice(at);
}

function after(text: string, sign: string, from: number): number {
  const at = text.indexOf(sign, from);
  return at < 0 ? text.length : at + sign.length;
}

function rawEnd(text: string, tag: string, from: number): number {
  const pattern = new RegExp(`</${tag}`, 'gi');
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** Behind the brace that closes the one at `start`; strings and comments are passed over. */
function bracesEnd(text: string, start: number): number {
  const step = /[{}]|\/\*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  step.lastIndex = start;
  let depth = 0;
  for (let found = step.exec(text); found; found = step.exec(text)) {
    if (found[0] === '{') depth += 1;
    else if (found[0] === '}') depth -= 1;
    else if (found[0] === '/*') step.lastIndex = after(text, '*/', step.lastIndex);
    if (depth === 0) return step.lastIndex;
  }
  return text.length;
}

/** Masks what stands between the fences of a page's front matter: `---` (YAML, or Astro's script) or `+++` (TOML). */
export function maskFrontMatter(text: string): string {
  const [head] =
    /^\ufeff?(?:(---)|(\+\+\+))[ \t]*\r?\n(?:[\s\S]*?\r?\n)?(?:---|\+\+\+)[ \t]*(?=\r?\n|$)/.exec(
      text,
    ) ?? [''];
  return head.replace(/[^\r\n]/g, ' ') + text.slice(head.length);
}
