/** Tables in cells. */
import { parseFragment } from 'parse5';
import { describe, expect, it } from 'vitest';
import { showTable } from '../../src/notebook/table.ts';

const picture = { address: 'data:image/jpeg;base64,AA==', description: 'a cat' };

describe('a table', () => {
  const shown = showTable(
    ['photo', 'caption', 'score'],
    [
      [picture, 'a <cat> & a dog', 0.5],
      [picture, 'grass', 12],
    ],
  );

  it('is well-formed HTML, its texts kept apart from markup', () => {
    const errors: string[] = [];
    parseFragment(shown.html, { onParseError: ({ code }) => errors.push(code) });
    expect(errors).toEqual([]);
    expect(shown.html).toContain('<td style="text-align: left">a &lt;cat&gt; &amp; a dog</td>');
    expect(shown.html.match(/<img src="data:image\/jpeg;base64,AA==" alt="a cat">/g)).toHaveLength(
      2,
    );
  });

  it('stands in columns as plain text, numbers to the right', () => {
    expect(shown.text).toBe(
      [
        'photo  caption          score',
        'a cat  a <cat> & a dog    0.5',
        'a cat  grass               12',
      ].join('\n'),
    );
  });

  it('may be empty', () => {
    expect(showTable(['a', 'b'], []).text).toBe('a  b');
  });

  it('refuses a row that does not fit', () => {
    expect(() => showTable(['a', 'b'], [['x', 'y'], ['z']])).toThrow(
      'row 1 of the table has 1 cells, and there are 2 heads',
    );
  });
});
