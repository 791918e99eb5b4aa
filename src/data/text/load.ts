/** Loads the tokenizer that a model's folder holds. */
import { folderTexts } from '../../base/files.ts';
import { readTextTokenizer } from './read.ts';
import type { TextTokenizer } from './tokenizer.ts';

/**
 * Loads the tokenizer of a model folder: tokenizer.json, else vocab.txt, with the settings of
 * tokenizer_config.json where there is one.
 * @throws InputError naming the file that is missing or at fault.
 */
export function loadTextTokenizer(folder: string): Promise<TextTokenizer> {
  return readTextTokenizer(folderTexts(folder));
}
