/** Scripts of cells, as jupytext and editors know them: `// %%` begins code, `// %% [markdown]` a text in comments. */

export interface Cell {
  readonly kind: 'code' | 'markdown';
  /** Without the marker and the comment signs, and without blank lines around it. */
  readonly text: string;
}

const marker = /^\/\/ %%(.*)$/;

/**
 * The cells in order; what stands before the first is the script's own.
 * @throws Error naming the line that is of no kind of cell, or is no comment in a text
 */
export function parseCells(script: string): Cell[] {
  const cells: { kind: Cell['kind']; lines: string[] }[] = [];
  for (const [i, line] of script.split('\n').entries()) {
    const [, kind] = marker.exec(line) ?? [];
    const last = cells.at(-1);
    if (kind !== undefined) cells.push({ kind: cellKind(kind.trim(), i + 1), lines: [] });
    else if (last) last.lines.push(last.kind === 'code' ? line : uncommented(line, i + 1));
  }
  return cells.map(({ kind, lines }) => ({ kind, text: lines.join('\n').trim() }));
}

function cellKind(kind: string, line: number): Cell['kind'] {
  if (kind === '') return 'code';
  if (kind === '[markdown]') return 'markdown';
  throw new Error(`line ${line}: '${kind}' is no kind of cell; write // %% or // %% [markdown].`);
}

function uncommented(line: string, number: number): string {
  if (line.trim() === '' || line === '//') return '';
  if (!line.startsWith('// '))
    throw new Error(`line ${number}: a text's lines begin with //, and this one does not.`);
  return line.slice(3);
}
