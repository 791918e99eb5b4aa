/** The lexer against JavaScript's own regular expressions, and the LCS against its recurrence. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lexer } from '../../../src/metrics/tokenizer/lexer.ts';
import { SubsequenceLength } from '../../../src/metrics/words/lcs.ts';

const patterns = [
  'ab*c',
  '(a|bc){1,3}',
  '[a-c]+d?',
  '[^a-c]{2}',
  String.raw`\u0061(b?c){0,2}d`,
  '.c|bb',
  'a(b|c)*d',
];

/** The longest match of all patterns, of equals the first, by trying every end. */
function longest(text: string, start: number): { rule: number; end: number } | undefined {
  for (let end = text.length; end > start; end--) {
    const part = text.slice(start, end);
    const rule = patterns.findIndex((pattern) => new RegExp(`^(?:${pattern})$`, 'is').test(part));
    if (rule >= 0) return { rule, end };
  }
  return undefined;
}

describe('Lexer', () => {
  const lexer = new Lexer(patterns.map((pattern) => ({ pattern })));

  it('finds the longest match, of equals the first pattern', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'x'), { maxLength: 12 });
    fc.assert(
      fc.property(text, fc.nat(11), (letters, start) => {
        const joined = letters.join('');
        const expected = longest(joined, start);
        expect(lexer.scan(joined, start)).toBe(expected !== undefined);
        if (expected) expect({ rule: lexer.rule, end: lexer.end }).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('matches literals in either case, classes only as listed', () => {
    const cases = new Lexer(
      [{ pattern: 'ab' }, { pattern: '[c]d' }, { pattern: String.raw`\p{Vowel}x` }],
      {
        Vowel: [0x61, 0x61, 0x65, 0x65],
      },
    );
    const found = (text: string) => (cases.scan(text, 0) ? cases.rule : -1);
    expect(['AB', 'aB', 'cD', 'Cd', 'ex', 'eX', 'ix'].map(found)).toEqual([0, 0, 1, -1, 2, 2, -1]);
  });

  it('stays right where scans that find nothing are cut short', () => {
    // 'a' matches at once; the second pattern reads on to an end that is there or not.
    const eager = new Lexer([{ pattern: 'a' }, { pattern: 'a[ab]*c' }]);
    const endings = (text: string) => {
      const ends: number[] = [];
      for (let at = 0; at < text.length && eager.scan(text, at); at = eager.end)
        ends.push(eager.end);
      return ends;
    };
    expect(endings('a'.repeat(1000))).toHaveLength(1000);
    expect(endings(`${'a'.repeat(1000)}c`)).toEqual([1001]);
    expect(endings(`${'a'.repeat(1000)}c${'a'.repeat(500)}`)).toHaveLength(501);
  });

  it('counts what must follow for the length, and tells apart rules of one pattern', () => {
    const contexts = new Lexer([
      { pattern: 'a+', before: 'b' },
      { pattern: 'a+' },
      { pattern: 'a+', before: '[cd]d' },
      { pattern: 'a+' },
    ]);
    const found = (text: string) => [contexts.scan(text, 0), contexts.rule, contexts.end];
    expect(found('aab')).toEqual([true, 0, 3]);
    expect(found('aac')).toEqual([true, 1, 2]);
    expect(found('aacd')).toEqual([true, 2, 4]);
  });

  it.each(['a)', '(a', '[a', '[b-a]', String.raw`\p{None}`])(
    'refuses the pattern %s',
    (pattern) => {
      expect(() => new Lexer([{ pattern }])).toThrow(SyntaxError);
    },
  );
});

describe('SubsequenceLength', () => {
  it('equals the recurrence, also over several blocks of 32', () => {
    const words = fc.array(fc.nat(6), { maxLength: 120 });
    const common = new SubsequenceLength();
    fc.assert(
      fc.property(words, fc.array(words, { maxLength: 3 }), (first, others) => {
        common.compare(first);
        for (const second of others) expect(common.with(second)).toBe(byRecurrence(first, second));
      }),
    );
  });
});

function byRecurrence(first: readonly number[], second: readonly number[]): number {
  let row = new Array<number>(second.length + 1).fill(0);
  for (const word of first) {
    const next = [0];
    for (const [index, other] of second.entries()) {
      next.push(word === other ? row[index] + 1 : Math.max(row[index + 1], next[index]));
    }
    row = next;
  }
  return row[second.length];
}
