/** The caption tokenizer of the COCO evaluation: Stanford's PTBTokenizer 3.4.1, lower case, punctuation removed. */

import { trimEnd } from '../words/words.ts';
import { Lexer } from './lexer.ts';
import { characterSets, lineBreak, plainWordRun, type TokenRule, tokenRules } from './rules.ts';

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
  /** Whether a token was looked for up to the text's end, so that more text might have changed it. */
  reachedEnd = false;
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
    this.reachedEnd = false;
    this.#hasSoftHyphens = text.includes(softHyphen);
  }

  /** The present token. */
  get token(): string {
    return this.written ?? this.#text.slice(this.start, this.end);
  }

  /**
   * Goes to the next words of plain letters between single spaces, from `start` to `end`, where some stand next: most
   * of a caption, at a fraction of what their tokens one by one would take.
   */
  nextPlainWordRun(): boolean {
    plainWordRun.lastIndex = this.#at;
    if (!plainWordRun.test(this.#text)) return false;
    this.start = this.#text.charCodeAt(this.#at) === 0x20 ? this.#at + 1 : this.#at;
    this.end = this.#at = plainWordRun.lastIndex;
    this.written = undefined;
    return true;
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
      if (this.#lexer.reachedEnd) this.reachedEnd = true;
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
 * That program reads a corpus as one text, where a caption's end can depend on the next one's
 * start: of "the letter T." the period goes if a new sentence seems to follow. For a caption by
 * itself one does here; the captions of a corpus are for `tokenizeCaptions()`.
 */
export function tokenizeCaption(caption: string): string {
  return tokenizeCaptions([caption], { behind: commonNext })[0];
}

/** What stands around some captions of a corpus in the reference program's input (see `CaptionStream`). */
export interface Surroundings {
  /** From the start of a token that goes on in the first caption, with the line end before it; else ''. */
  before?: string;
  /** From the line end behind the last caption on, as far as it matters; '' at the corpus' end. */
  behind?: string;
}

/**
 * The captions of a corpus as the COCO evaluation scores them: like `tokenizeCaption()`, but read
 * as one text with a caption a line, so that they depend on each other and on their order as there.
 * pycocoevalcap reads the references of all images as one such text, and the candidates as another.
 *
 * @returns the tokens of each caption, joined by spaces.
 */
export function tokenizeCaptions(
  captions: readonly string[],
  { before = '', behind = '' }: Surroundings = {},
): string[] {
  if (captions.length === 0) return [];
  const text = before + captionLines(captions);
  const left = before.split('\n').length - 1;
  return lines(text + behind, text.length).slice(left, left + captions.length);
}

/**
 * Where the token starts that begins before `limit` and goes on behind it; -1 if none does, and
 * undefined if only more text could tell.
 *
 * @param isAll whether nothing stands behind the text.
 */
export function tokenAcross(text: string, limit: number, isAll: boolean): number | undefined {
  const scanner = scannerOf(text, limit);
  let start = -1;
  while (scanner.next()) if (scanner.end > limit) start = scanner.start;
  return scanner.reachedEnd && !isAll ? undefined : start;
}

/** Captions as lines of a text, as pycocoevalcap makes them. */
export function captionLines(captions: readonly string[]): string {
  return captions
    .map((text) => (text.includes('\n') ? text.replaceAll('\n', ' ') : text))
    .join('\n');
}

/** The tokens that begin before `limit` without the punctuation, joined by spaces, line by line. */
function lines(text: string, limit: number): string[] {
  const scanner = scannerOf(text, limit);
  const line = new Line(text);
  const done: string[] = [];
  let lineEnd = text.indexOf('\n');
  const endLine = (): void => {
    done.push(line.take());
    lineEnd = text.indexOf('\n', lineEnd + 1);
  };
  while (scanner.nextPlainWordRun() || scanner.next()) {
    const { start, end, written } = scanner;
    const goesOn = lineEnd >= 0 && end > lineEnd;
    if (written === lineBreak) {
      // Other line breaks stand within captions, and count as spaces.
      if (goesOn) endLine();
    } else if (!goesOn && !written?.includes(' ')) line.add(start, end, written);
    else {
      // Markup can begin in one caption and end in another, and the evaluation parts what the program wrote as one.
      for (const [i, part] of scanner.token.split('\n').entries()) {
        if (i > 0) endLine();
        for (const piece of part.split(' ')) if (piece !== '') line.add(start, end, piece);
      }
    }
  }
  done.push(line.take());
  return done;
}

/** Gathers the tokens of a line. */
class Line {
  readonly #text: string;
  #tokens = '';
  // A run of tokens that stand in the text with single spaces between them is copied at once.
  #runStart = 0;
  #runEnd = 0;
  #lastIsKept = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Adds the token at `start` to `end`, `written` if not as it stands there; but no punctuation. */
  add(start: number, end: number, written: string | undefined): void {
    const text = this.#text;
    const first = written === undefined ? text.charCodeAt(start) : written.charCodeAt(0);
    this.#lastIsKept = !(
      punctuationStarts.has(first) && punctuation.has(written ?? text.slice(start, end))
    );
    const goesOn = this.#lastIsKept && written === undefined && start === this.#runEnd + 1;
    if (goesOn && this.#runEnd > this.#runStart && text.charCodeAt(this.#runEnd) === 0x20) {
      this.#runEnd = end;
      return;
    }
    this.#endRun();
    if (!this.#lastIsKept) return;
    if (written === undefined) [this.#runStart, this.#runEnd] = [start, end];
    else this.#append(written);
  }

  /** The line in lower case; the next one begins. */
  take(): string {
    this.#endRun();
    const line = this.#tokens.toLowerCase();
    this.#tokens = '';
    // The evaluation strips each line before it looks at the tokens.
    return this.#lastIsKept ? trimEnd(line) : line;
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart) this.#append(this.#text.slice(this.#runStart, this.#runEnd));
    this.#runStart = this.#runEnd = 0;
  }

  #append(piece: string): void {
    this.#tokens += this.#tokens === '' ? piece : ` ${piece}`;
  }
}

/** The tokenizer of the caption metrics; text for a model goes through the model's own. */
export const captionTokenizer = {
  /** The tokens of each caption of a corpus, which depend on their order as in the reference program. */
  tokenize: tokenizeCaptions,
  /** The tokens of a caption by itself. */
  tokenizeOne: tokenizeCaption,
  /** All its tokens, punctuation included. */
  tokens: ptbTokens,
} as const;
