/** For whom a model is exported: the graphs, the names of their files, and what goes beside them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../base/files.ts';
import { parseJson } from '../base/json.ts';
import { preprocessingToJson } from '../data/images/preprocess.ts';
import type { PretrainedModel } from '../model/checkpoint/pretrained.ts';
import { writeTokenizer } from '../model/checkpoint/save.ts';
import { type ExportGraphs, type Member, mergedGraphs, plainGraphs } from './graphs.ts';
import { type ExportDtype, exportDtypes, type LayoutName } from './names.ts';
import {
  dtypeNames,
  greedyGeneration,
  imageProcessor,
  visionEncoderDecoderConfig,
  withStart,
} from './transformers-js.ts';

/** What is known of the graphs when the other files are written. */
interface Written {
  readonly dtype: ExportDtype;
  /** Names of ONNX files that have a file of weights beside them. */
  readonly dataFiles: readonly string[];
}

interface Layout {
  /** Formats that its ops can hold. */
  readonly dtypes: readonly ExportDtype[];
  graphs(members: readonly Member[]): ExportGraphs;
  /** Places of the two files within the folder. */
  fileNames(dtype: ExportDtype): { readonly encoder: string; readonly decoder: string };
  writeFiles(folder: string, models: readonly PretrainedModel[], written: Written): Promise<void>;
}

export const layouts: { readonly [Name in LayoutName]: Layout } = {
  'transformers.js': {
    dtypes: exportDtypes,
    graphs: mergedGraphs,
    fileNames: (dtype) => ({
      encoder: `onnx/encoder_model${dtypeNames[dtype].suffix}.onnx`,
      decoder: `onnx/decoder_model_merged${dtypeNames[dtype].suffix}.onnx`,
    }),
    async writeFiles(folder, models, { dtype, dataFiles }) {
      const configs = models.map(({ config }) => config);
      const config = visionEncoderDecoderConfig(configs, dtype, dataFiles);
      await writeJson(folder, 'config.json', config);
      await writeJson(folder, 'preprocessor_config.json', imageProcessor(models[0].preprocessing));
      await writeWords(folder, models[0]);
    },
  },
  onnx: {
    // The standard has no product with 4-bit weights.
    dtypes: ['f32', 'f16', 'int8'],
    graphs: plainGraphs,
    fileNames: () => ({ encoder: 'encoder.onnx', decoder: 'decoder.onnx' }),
    async writeFiles(folder, [model]) {
      const preprocessing = preprocessingToJson(model.preprocessing);
      await writeJson(folder, 'preprocessor_config.json', preprocessing);
      await writeWords(folder, model);
    },
  },
};

/** The tokenizer, and the ids that captions begin and end with. */
async function writeWords(folder: string, model: PretrainedModel): Promise<void> {
  const { text_config } = model.config;
  await writeJson(
    folder,
    'generation_config.json',
    greedyGeneration(text_config, model.generation),
  );
  await writeTokenizer(folder, { folder: model.folder });
  const path = join(folder, 'tokenizer.json');
  const start = text_config.bos_token_id;
  const isKnown = start < model.tokenizer.size;
  const json: unknown = parseJson(await readFile(path, 'utf8'), path);
  if (typeof json === 'object' && json !== null)
    await writeJson(folder, 'tokenizer.json', withStart(json, start, isKnown));
}

function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  return writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
