/** Which of a model's files a captioner needs: those of a whole model, or of a LoRA adapter, whose base is another model. */
import { adapterWeightNames, weightFileNames } from '../weights/open.ts';

export const adapterConfigName = 'adapter_config.json';

export interface ModelContents {
  /** The file without which it is no model. */
  readonly config: string;
  /** The weights, or the index of their files; undefined where there are none that can be read. */
  readonly weights: string | undefined;
  /** What was looked for. */
  readonly weightNames: readonly string[];
  /** Further files that are taken where there are such. */
  readonly small: readonly string[];
}

/** @param has whether a folder or repository has a file of that name at its top */
export function contentsOf(has: (name: string) => boolean): ModelContents {
  const isAdapter = isAdapterLike(has);
  const weightNames = isAdapter ? adapterWeightNames : weightFileNames;
  return {
    config: isAdapter ? adapterConfigName : 'config.json',
    weights: weightNames.find(has),
    weightNames,
    small: isAdapter ? [] : small,
  };
}

/** Whether there is an adapter that has no whole model beside it. */
export function isAdapterLike(has: (name: string) => boolean): boolean {
  return has(adapterConfigName) && !(has('config.json') && weightFileNames.some(has));
}

const small = [
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
];
