/** Scripts of cells, and the notebook files made of them. */
import { describe, expect, it } from 'vitest';
import { parseCells } from '../../scripts/notebook/cells.ts';
import { notebookSchema, notebookText, type Output } from '../../scripts/notebook/ipynb.ts';

const script = `/** The script's own. */

// %% [markdown]
// # Title
//
// - a line

// %%
// A comment of the code.
const two = 1 + 1;

two;

// %%
`;

describe('a script of cells', () => {
  const cells = parseCells(script);

  it('is texts without their comment signs, and code as it is', () => {
    expect(cells).toEqual([
      { kind: 'markdown', text: '# Title\n\n- a line' },
      { kind: 'code', text: '// A comment of the code.\nconst two = 1 + 1;\n\ntwo;' },
      { kind: 'code', text: '' },
    ]);
  });

  it('refuses what is no cell, by its line', () => {
    expect(() => parseCells('// %% [raw]')).toThrow("line 1: '[raw]' is no kind of cell");
    expect(() => parseCells('// %% [markdown]\nconst x = 1;')).toThrow('line 2: a text');
  });

  it('makes a notebook without outputs, and one with those of its code cells in order', () => {
    const plain = notebookSchema.parse(JSON.parse(notebookText(cells)));
    expect(plain.cells.map((cell) => cell.execution_count)).toEqual([undefined, null, null]);
    const outputs: Output[][] = [
      [{ output_type: 'execute_result', data: { 'text/plain': 'two\nlines', 'text/html': 'x' } }],
      [{ output_type: 'stream', name: 'stdout', text: ['a\n', 'b\n'] }],
    ];
    const written = notebookSchema.parse(JSON.parse(notebookText(cells, outputs)));
    expect(written.cells.map((cell) => cell.execution_count)).toEqual([undefined, 1, 2]);
    expect(written.cells[1].outputs).toEqual([
      {
        output_type: 'execute_result',
        data: { 'text/html': ['x'], 'text/plain': ['two\n', 'lines'] },
      },
    ]);
    expect(written.cells[2].outputs).toEqual(outputs[1]);
  });
});
