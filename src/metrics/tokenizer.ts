/** The caption tokenizer of the COCO evaluation: Stanford's PTBTokenizer 3.4.1, lower case, punctuation removed. */
import { Lexer } from './lexer.ts';
import { characterSets, lineBreak, type TokenRule, tokenRules } from './ptb-rules.ts';
import { trimEnd } from './words.ts';

/** The tokens that the COCO evaluation removes. Its -LRB- and the like are spared: the text is in lower case by then. */
const punctuation = new Set(`'' ' \`\` \` . ? ! , : - -- ... ;`.split(' '));
const punctuationStarts = new Set([...punctuation].map((token) => token.charCodeAt(0)));

/** What follows a caption in the reference program's input unless said otherwise: most captions start so. */
const commonNext = '\nA ';

/** The lexer of all rules; made at the first use, since it takes some milliseconds. */
let lexer: Lexer | undefined;

function sharedLexer(): Lexer {
  lexer ??= new Lexer(
    tokenRules.map(({ pattern, before }) => (before ? `(${pattern})(${before})` : pattern)),
    characterSets,
  );
  return lexer;
}

/** For rules with a context: lexers of the token and of the context alone. */
const separate = new Map<TokenRule, { token: Lexer; context: Lexer }>();

/** Where the token ends of a rule that matched, with its context, from `start` to `end`: as late as possible. */
function tokenEnd(rule: TokenRule, text: string, start: number, end: number): number {
  if (rule.before === undefined) return end;
  let lexers = separate.get(rule);
  if (!lexers) {
    lexers = {
      token: new Lexer([rule.pattern], characterSets),
      context: new Lexer([rule.before], characterSets),
    };
    separate.set(rule, lexers);
  }
  const { token, context } = lexers;
  return (
    token.ends(text, start, end).findLast((at) => context.ends(text, at, end).at(-1) === end) ?? end
  );
}

/**
 * Calls `found` for each token of `text` that starts before `limit`, as the reference tokenizer
 * writes it, with its place in the text: the token stands there literally if `literal`.
 * Line breaks are given as tokens '\n'.
 */
function forEachToken(
  text: string,
  limit: number,
  found: (token: string, start: number, end: number, literal: boolean) => void,
): void {
  const scanner = sharedLexer();
  for (let start = 0; start < limit; ) {
    // Every unit matches some rule, if only the last.
    if (!scanner.scan(text, start)) throw new RangeError(`no rule for the text at ${start}`);
    const rule = tokenRules[scanner.rule];
    const end = tokenEnd(rule, text, start, scanner.end) - (rule.leaves ?? 0);
    const { written } = rule;
    if (written === undefined) {
      found(text.slice(start, end), start, end, true);
    } else if (written !== '') {
      const literal = text.slice(start, end);
      const token = typeof written === 'string' ? written : written(literal);
      found(token, start, end, token === literal);
    }
    start = end - (rule.repeats ?? 0);
  }
}

/**
 * The tokens of Stanford's PTBTokenizer 3.4.1 with `-lowerCase`, punctuation included.
 *
 * @param following what stands behind the caption in that program's input, from the line end on.
 */
export function ptbTokens(caption: string, following = commonNext): string[] {
  const tokens: string[] = [];
  forEachToken(caption + following, caption.length, (token) => {
    if (token !== lineBreak) tokens.push(token.toLowerCase());
  });
  return tokens;
}

/**
 * A caption as the COCO evaluation scores it: tokens of Stanford's PTBTokenizer 3.4.1 in lower
 * case, without punctuation, joined by spaces. Line breaks of every kind count as spaces.
 *
 * That program reads all captions as one text, where a caption's end can depend on the next one's
 * start: of "the letter T." the period goes if a new sentence seems to follow. Here one does;
 * `tokenizeCaptions()` looks.
 */
export function tokenizeCaption(caption: string): string {
  return tokenizeBefore(caption, commonNext);
}

/** Several captions as `tokenizeCaption()` gives them, each seen before the next and the last at the end. */
export function tokenizeCaptions(captions: readonly string[]): string[] {
  return captions.map((caption, index) => {
    const next = captions[index + 1];
    return tokenizeBefore(caption, next === undefined ? '' : `\n${next}`);
  });
}

function tokenizeBefore(caption: string, following: string): string {
  const line = caption.includes('\n') ? caption.replaceAll('\n', ' ') : caption;
  const text = line + following;
  let result = '';
  // A run of tokens that stand in the text with single spaces between them is copied at once.
  let runStart = 0;
  let runEnd = 0;
  let lastIsKept = false;
  const append = (piece: string) => {
    result += result === '' ? piece : ` ${piece}`;
  };
  forEachToken(text, line.length, (token, start, end, literal) => {
    if (token === lineBreak) return;
    lastIsKept = !(punctuationStarts.has(token.charCodeAt(0)) && punctuation.has(token));
    if (
      lastIsKept &&
      literal &&
      start === runEnd + 1 &&
      runEnd > 0 &&
      text.charCodeAt(runEnd) === 0x20
    ) {
      runEnd = end;
      return;
    }
    if (runEnd > runStart) append(text.slice(runStart, runEnd));
    runStart = runEnd = 0;
    if (!lastIsKept) return;
    if (literal) [runStart, runEnd] = [start, end];
    else append(token);
  });
  if (runEnd > runStart) append(text.slice(runStart, runEnd));
  result = result.toLowerCase();
  // The evaluation strips each line before it looks at the tokens.
  return lastIsKept ? trimEnd(result) : result;
}
