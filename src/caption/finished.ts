/** Whether a run that is to be resumed has anything left to do: known before a model is opened. */
import { isThere } from '../base/files.ts';
import { isStream } from '../base/streams.ts';
import { cocoNumber } from './output/coco.ts';
import type { RowFormat } from './output/formats.ts';
import { sidecarPath } from './output/sidecar.ts';
import { holdsAll } from './output/written.ts';
import type { CaptionInput } from './sources/inputs.ts';

/** Where results are: a file, or a text file beside each picture. */
export type Results =
  | { readonly kind: 'sidecars' }
  | { readonly kind: 'file'; readonly path: string; readonly format: RowFormat };

/**
 * The number of pictures where the results of all are there; undefined where some are not, or an input gives none.
 * @param candidates captions of each picture, where they are known
 * @throws InputError when the file holds something else
 */
export async function countFinished(
  inputs: AsyncIterable<CaptionInput>,
  results: Results,
  candidates?: number,
): Promise<number | undefined> {
  if (results.kind === 'file' && !(await isFile(results.path))) return undefined;
  const pictures = new Set<string>();
  for await (const input of inputs) {
    if (input.kind === 'nothing') return undefined;
    if (input.kind === 'passed over') continue;
    const name = resultName(input.name, results);
    // What is refused is told by a run.
    if (name === undefined) return undefined;
    pictures.add(name);
    if (results.kind === 'sidecars' && !(await isThere(sidecarPath(input.name)))) return undefined;
  }
  const { kind } = results;
  const isWhole =
    kind === 'sidecars' || (await holdsAll(results.path, results.format, pictures, candidates));
  return isWhole ? pictures.size : undefined;
}

/** How a picture is called in the results. */
function resultName(file: string, results: Results): string | undefined {
  if (results.kind === 'sidecars' || results.format !== 'coco') return file;
  return cocoNumber(file)?.toString();
}

async function isFile(path: string): Promise<boolean> {
  return (await isThere(path)) && !(await isStream(path));
}
