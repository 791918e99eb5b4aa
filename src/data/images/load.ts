/** The preprocessing of a model folder, from processor_config.json or preprocessor_config.json. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import type { TextFiles } from '../../base/text-files.ts';
import { type Preprocessing, parsePreprocessing } from './preprocess.ts';

const processorSchema = z.looseObject({ image_processor: z.looseObject({}).nullish() });

/** A model folder's preprocessing and what says so. */
export interface FoundPreprocessing {
  readonly source: string;
  readonly preprocessing: Preprocessing;
}

/**
 * Reads the preprocessing of a model folder with transformers' precedence: the field image_processor of
 * processor_config.json (all that transformers 5 saves), else preprocessor_config.json.
 * @returns undefined where neither is there
 * @throws InputError naming the file and the field that is wrong
 */
export async function findPreprocessing(files: TextFiles): Promise<FoundPreprocessing | undefined> {
  const nested = files.pathOf('processor_config.json');
  const nestedText = await files.read('processor_config.json');
  if (nestedText !== undefined) {
    const json = processorSchema.safeParse(parseJson(nestedText, nested));
    if (!json.success)
      throw new InputError(
        `${nested}: ${json.error.issues[0].path.join('.') || 'the file'}: not an object.`,
      );
    const source = `${nested}: image_processor`;
    const { image_processor: own } = json.data;
    if (own) return { source, preprocessing: parsePreprocessing(own, source) };
  }
  const path = files.pathOf('preprocessor_config.json');
  const text = await files.read('preprocessor_config.json');
  if (text === undefined) return undefined;
  return { source: path, preprocessing: parsePreprocessing(parseJson(text, path), path) };
}
