/** The caption tokenizer of the COCO evaluation: Stanford's PTBTokenizer 3.4.1, lower case, punctuation removed. */

import { trimEnd } from '../words/words.ts';
import { Lexer } from './lexer.ts';
import { characterSets, lineBreak, type TokenRule, tokenRules } from './rules.ts';

/** The tokens that the COCO evaluation removes. Its -LRB- and the like are spared: the text is in lower case by then. */
const punctuation = new Set(`'' ' \`\` \` . ? ! , : - -- ... ;`.split(' '));
const punctuationStarts = new Set([...punctuation].map((token) => token.charCodeAt(0)));

/** What follows a caption in the reference program's input unless said otherwise: most captions start so. */
const commonNext = '\nA ';
const softHyphen = '\u00ad';

/** For rules with a context: lexers of the token and of the context alone. */
const separate = new Map<TokenRule, { token: Lexer; context: Lexer }>();

/** Where the token ends of a rule that matched, with its context, from `start` to `end`: as late as possible. */
function tokenEnd(rule: TokenRule, text: string, start: number, end: number): number {
  if (rule.before === undefined) return end;
  let lexers = separate.get(rule);
  if (!lexers) {
    lexers = {
      token: new Lexer([{ pattern: rule.pattern }], characterSets),
      context: new Lexer([{ pattern: rule.before }], characterSets),
    };
    separate.set(rule, lexers);
  }
  const { token, context } = lexers;
  return (
    token.ends(text, start, end).findLast((at) => context.ends(text, at, end).at(-1) === end) ?? end
  );
}

/** Finds one token after the other, as the reference tokenizer writes them. */
class TokenScanner {
  /** Where the present token stands in the text, and how it is written if not as it stands there. */
  start = 0;
  end = 0;
  written: string | undefined;
  readonly #lexer = new Lexer(tokenRules, characterSets);
  #text = '';
  #limit = 0;
  #at = 0;
  #hasSoftHyphens = false;

  /** Starts with the tokens of `text` that begin before `limit`. */
  read(text: string, limit: number): void {
    this.#text = text;
    this.#limit = limit;
    this.#at = 0;
    this.#hasSoftHyphens = text.includes(softHyphen);
  }

  /** The present token. */
  get token(): string {
    return this.written ?? this.#text.slice(this.start, this.end);
  }

  /** Goes to the next token; false if there is none. Line breaks are tokens '\n'. */
  next(): boolean {
    const text = this.#text;
    while (this.#at < this.#limit) {
      const start = this.#at;
      // No token but white space begins with a space, and what follows one is mostly none.
      if (text.charCodeAt(start) === 0x20 && isPlain(text.charCodeAt(start + 1))) {
        this.#at = start + 1;
        continue;
      }
      // Every unit matches some rule, if only the last.
      if (!this.#lexer.scan(text, start)) throw new RangeError(`no rule for the text at ${start}`);
      const rule = tokenRules[this.#lexer.rule];
      const end = tokenEnd(rule, text, start, this.#lexer.end) - (rule.leaves ?? 0);
      this.#at = end - (rule.repeats ?? 0);
      if (rule.written === '') continue;
      this.start = start;
      this.end = end;
      this.written = undefined;
      if (typeof rule.written === 'string') this.written = rule.written;
      else if (rule.written) this.written = rule.written(text.slice(start, end));
      else if (rule.softHyphens && this.#hasSoftHyphens) {
        this.written = text.slice(start, end).replaceAll(softHyphen, '') || '-';
      }
      return true;
    }
    return false;
  }
}

function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/** Made at the first use: it takes some milliseconds, and learns from the texts it reads. */
let sharedScanner: TokenScanner | undefined;

function scannerOf(text: string, limit: number): TokenScanner {
  sharedScanner ??= new TokenScanner();
  sharedScanner.read(text, limit);
  return sharedScanner;
}

/**
 * The tokens of Stanford's PTBTokenizer 3.4.1 with `-lowerCase`, punctuation included.
 *
 * @param following what stands behind the caption in that program's input, from the line end on.
 */
export function ptbTokens(caption: string, following = commonNext): string[] {
  const scanner = scannerOf(caption + following, caption.length);
  const tokens: string[] = [];
  while (scanner.next()) {
    if (scanner.written !== lineBreak) tokens.push(scanner.token.toLowerCase());
  }
  return tokens;
}

/**
 * A caption as the COCO evaluation scores it: tokens of Stanford's PTBTokenizer 3.4.1 in lower
 * case, without punctuation, joined by spaces. Line breaks of every kind count as spaces.
 *
 * That program reads all captions as one text, where a caption's end can depend on the next one's
 * start: of "the letter T." the period goes if a new sentence seems to follow. Here one does, so
 * that no score depends on the order of images.
 */
export function tokenizeCaption(caption: string): string {
  return tokenizeCaptionBefore(caption, commonNext);
}

/**
 * A caption as `tokenizeCaption()` gives it, in a given place.
 *
 * @param following what stands behind it in the reference program's input, from the line end on; '' at the end.
 */
export function tokenizeCaptionBefore(caption: string, following: string): string {
  const line = caption.includes('\n') ? caption.replaceAll('\n', ' ') : caption;
  const text = line + following;
  const scanner = scannerOf(text, line.length);
  let result = '';
  const append = (piece: string) => {
    result += result === '' ? piece : ` ${piece}`;
  };
  // A run of tokens that stand in the text with single spaces between them is copied at once.
  let runStart = 0;
  let runEnd = 0;
  let lastIsKept = false;
  while (scanner.next()) {
    const { start, end, written } = scanner;
    if (written === lineBreak) continue;
    const first = written === undefined ? text.charCodeAt(start) : written.charCodeAt(0);
    lastIsKept = !(punctuationStarts.has(first) && punctuation.has(scanner.token));
    const goesOn = lastIsKept && written === undefined && start === runEnd + 1;
    if (goesOn && runEnd > 0 && text.charCodeAt(runEnd) === 0x20) {
      runEnd = end;
      continue;
    }
    if (runEnd > runStart) append(text.slice(runStart, runEnd));
    runStart = runEnd = 0;
    if (lastIsKept && written === undefined) [runStart, runEnd] = [start, end];
    else if (lastIsKept) append(scanner.token);
  }
  if (runEnd > runStart) append(text.slice(runStart, runEnd));
  result = result.toLowerCase();
  // The evaluation strips each line before it looks at the tokens.
  return lastIsKept ? trimEnd(result) : result;
}
