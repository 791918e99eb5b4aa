/** The PTB tokenizer beyond the fixtures: rules seen with the Java program, and behaviour on hostile text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ptbTokens,
  tokenizeCaption,
  tokenizeCaptions,
} from '../../../src/metrics/tokenizer/tokenizer.ts';
import { type Item, metricFixture } from '../../data/caption-files.ts';

/** Input and the tokens that Stanford's PTBTokenizer 3.4.1 gives, joined by '|'. */
const cases: [string, string][] = [
  ["I can't, won't and shouldn't've", "i|ca|n't|,|wo|n't|and|should|n't|`|ve"],
  ["gonna cannot 'tis 'twas lemme", "gon|na|can|not|'t|is|'t|was|lem|me"],
  ["rock 'n' roll o'clock y'all", "rock|'n'|roll|o'clock|y'|all"],
  ['He said "no" to it', "he|said|``|no|''|to|it"],
  ['“no” ‘no’ «no»', "``|no|''|`|no|'|``|no|''"],
  ['(800) 560-8860 or 555.123.4567', '-lrb-800-rrb-\u00a0560-8860|or|555.123.4567'],
  ['1 1/2 cups, ½ cup', '1\u00a01/2|cups|,|1/2|cup'],
  ['£3 €5 5¢ $20 US$5', '#|3|$|5|5|cents|$|20|us$|5'],
  ['wait.... what . . . no…', 'wait|...|what|...|no|...'],
  ['a - b -- c --- d ----- e – f', 'a|-|b|--|c|--|d|-----|e|--|f'],
  ['see http://x.y/z?q=1, a@b.com.', 'see|http://x.y/z?q=1|,|a@b.com|.'],
  ['#dog @cat C++ c# :-) ^_^', '#dog|@cat|c++|c#|:--rrb-|^_^'],
  ['AT&amp;T &lt;b&gt; &nbsp; &eacute;', 'at&t|<|b|>|&eacute;'],
  ['<a href="x y"> <br/>', '<a\u00a0href="x\u00a0y">|<br/>'],
  ['soft\u00adly', 'softly'],
  ['Mr. Smith etc. vs. U.S. Army', 'mr.|smith|etc.|vs.|u.s.|army'],
  ['plan B. The end', 'plan|b|.|the|end'],
  ['in the U.S. The end', 'in|the|u.s.|.|the|end'],
  ['plan B. no end', 'plan|b.|no|end'],
  ['犬 が 走る \u{1F436}', '犬|が|走る'],
  ['a\u0001b\u0000c\u007fd', 'a|b|c|d'],
];

describe('ptbTokens', () => {
  it.each(cases)('reads %j as the reference program does', (text, expected) => {
    expect(ptbTokens(text, '')).toEqual(expected.split('|'));
  });
});

/** The punctuation that the COCO evaluation removes. */
const removed = new Set(["''", "'", '``', '`', '.', '?', '!', ',', ':', '-', '--', '...', ';']);

describe('tokenizeCaption', () => {
  it('removes the punctuation of the COCO evaluation and nothing else', () => {
    expect(tokenizeCaption('"A dog," (he says): run!! No - yes; [x]...')).toBe(
      'a dog -lrb- he says -rrb- run !! no yes -lsb- x -rsb-',
    );
  });

  it('takes line breaks of every kind for spaces', () => {
    expect(tokenizeCaption('a\nb\r\nc\u2028d\u000be')).toBe('a b c d e');
  });

  it('gives the same tokens whatever it has read before', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (texts) => {
        const forward = texts.map(tokenizeOnly);
        const backward = [...texts].reverse().map(tokenizeOnly).reverse();
        expect(backward).toEqual(forward);
      }),
    );
  });

  it('joins tokens without punctuation by single spaces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const line = text.replaceAll('\n', ' ');
        const kept = ptbTokens(line).filter((token) => !removed.has(token));
        expect(tokenizeCaption(text)).toBe(kept.join(' ').trimEnd());
      }),
    );
  });

  it('reads words of plain letters, whatever stands between them, as it reads them one by one', () => {
    const pieces = fc.constantFrom(
      ...'a A dog Dog cannot Cannots gonna WANNA t T U.S. u.s st St. fig. co pt Mr Inc. n y e.g'.split(
        ' ',
      ),
      ...[...` .,!?'-/&#@:;\u00a0\u00e9\u017f\u212a1`],
      ...['  ', ' . ', "n't", '...', '8th', '1 1/2', 'dogs ', ' cats', 'd\u00adg'],
    );
    const caption = fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(caption, caption, (first, second) => {
        const follows = [`\n${second}`, ''];
        const expected = [first, second].map((text, i) =>
          ptbTokens(text, follows[i])
            .filter((token) => !removed.has(token))
            .join(' ')
            .trimEnd(),
        );
        expect(tokenizeCaptions([first, second])).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['words', 'a dog runs '.repeat(9_091)],
    ['one word', 'a'.repeat(100_000)],
    ['tags that never end', '<!a'.repeat(33_334)],
    ['addresses that never end', 'a,'.repeat(50_000)],
    ['quotes that never end', `<a b='`.repeat(16_667)],
    ['spaces behind an acronym', `U.S.${' '.repeat(100_000)}The end`],
    ['dots', '.'.repeat(100_000)],
    ['hyphens', 'a-'.repeat(50_000)],
  ])('reads 100,000 characters of %s in time', (_, text) => {
    // Time of the processor: a busy machine is no fault of the tokenizer's.
    const start = process.cpuUsage();
    expect(tokenizeCaption(text).length).toBeGreaterThanOrEqual(0);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(3);
  });
});

describe('tokenizeCaptions', () => {
  const { items } = metricFixture<{ items: (Item & { ptb: TokenizedItem })[] }>(
    'caption_stream.json',
  );

  it('reads a corpus as the reference program does, which reads it as one text', () => {
    expect(tokenizeCaptions(items.map(({ candidate }) => candidate))).toEqual(
      items.map(({ ptb }) => ptb.candidate),
    );
    expect(tokenizeCaptions(items.flatMap(({ references }) => references))).toEqual(
      items.flatMap(({ ptb }) => ptb.references),
    );
  });

  it('lets the next caption decide about a letter with a period at the end', () => {
    const first = (...captions: string[]) => tokenizeCaptions(captions)[0];
    expect(first('the letter T.', 'A dog runs')).toBe('the letter t');
    expect(first('the letter T.', 'a dog runs')).toBe('the letter t.');
    expect(first('the letter T.', '', '  ', 'The', 'dog')).toBe('the letter t');
    expect(first('the letter T.')).toBe('the letter t.');
    expect(tokenizeCaption('the letter T.')).toBe('the letter t');
  });

  it('parts markup that goes on in the next caption as the reference program does', () => {
    expect(tokenizeCaptions(['a <b c="', 'd"> dog T.', 'The end'])).toEqual([
      'a <b\u00a0c="',
      'd"> dog t',
      'the end',
    ]);
  });

  it('gives a caption’s line breaks no say in which caption is which', () => {
    expect(tokenizeCaptions(['a\rb\nc\u2028d\r', 'e\u0085f'])).toEqual(['a b c d', 'e f']);
    expect(tokenizeCaptions([])).toEqual([]);
  });
});

interface TokenizedItem {
  candidate: string;
  references: string[];
}

const tokenizeOnly = (text: string) => tokenizeCaption(text);
