/** Notebook files (nbformat 4.5) as the project keeps them: the same bytes for the same cells and outputs. */
import { z } from 'zod';
import type { Cell } from './cells.ts';

const text = z.union([z.string(), z.array(z.string())]);

/** What a cell gave. */
export const outputSchema = z.discriminatedUnion('output_type', [
  z.object({ output_type: z.literal('stream'), name: z.string(), text }),
  z.object({
    output_type: z.enum(['execute_result', 'display_data']),
    data: z.record(z.string(), text),
  }),
  z.object({ output_type: z.literal('error'), ename: z.string(), evalue: z.string() }),
]);

/** What is read of a notebook. */
export const notebookSchema = z.object({
  cells: z.array(
    z.object({
      cell_type: z.enum(['code', 'markdown']),
      source: text,
      execution_count: z.int().nullish(),
      outputs: z.array(outputSchema).optional(),
    }),
  ),
  nbformat: z.literal(4),
});

export type Notebook = z.infer<typeof notebookSchema>;
export type Output = z.infer<typeof outputSchema>;

/** A text whole; notebooks may keep it by lines. */
export function wholeText(kept: string | readonly string[]): string {
  return typeof kept === 'string' ? kept : kept.join('');
}

/**
 * The file's text. Times, versions and identifiers that differ from run to run are not in it.
 * @param outputs of each code cell in order, where the notebook was executed
 */
export function notebookText(
  cells: readonly Cell[],
  outputs: readonly (readonly Output[])[] = [],
): string {
  let code = 0;
  const written = cells.map(({ kind, text: source }, i) => {
    const shared = { id: `cell-${i + 1}`, metadata: {}, source: byLines(source) };
    if (kind === 'markdown') return { cell_type: kind, ...shared };
    const own = outputs.at(code);
    code += 1;
    return {
      cell_type: kind,
      execution_count: own ? code : null,
      ...shared,
      outputs: (own ?? []).map((output) => plainOutput(output, code)),
    };
  });
  const metadata = {
    kernelspec: { display_name: 'Deno', language: 'typescript', name: 'deno' },
    language_info: { file_extension: '.ts', mimetype: 'text/x.typescript', name: 'typescript' },
  };
  return `${JSON.stringify({ cells: written, metadata, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}

function plainOutput(output: Output, count: number): object {
  switch (output.output_type) {
    case 'stream':
      return { ...output, text: byLines(wholeText(output.text)) };
    case 'execute_result':
      return { ...output, data: dataByLines(output.data), execution_count: count, metadata: {} };
    case 'display_data':
      return { ...output, data: dataByLines(output.data), metadata: {} };
    case 'error':
      return { ...output, traceback: [] };
  }
}

function dataByLines(data: Readonly<Record<string, string | string[]>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(data)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([type, value]) => [type, byLines(wholeText(value))]),
  );
}

/** Lines with their ends, as Jupyter writes them. */
function byLines(whole: string): string[] {
  return whole.split(/(?<=\n)/).filter((line) => line !== '');
}
