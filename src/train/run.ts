/** One training run from data and tower to a saved model, with its folder: config, metrics, models. */
import { appendFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { writeFileAtomic } from '../base/files.ts';
import { type BlipConfig, parseBlipConfig } from '../blip/config.ts';
import { saveModel, storeWeights } from '../blip/save.ts';
import { mayFlip } from '../data/augment.ts';
import { type DatasetImage, imagesOfSplit } from '../data/dataset.ts';
import { readDataset } from '../data/dataset-read.ts';
import { type CaptionTokenizer, tokenizerFromVocabulary } from '../data/tokenizer.ts';
import { makeVocabulary } from '../data/vocabulary.ts';
import type { ParameterStore } from '../nn/parameter-store.ts';
import { encodeCaption, trainingText } from './batches.ts';
import type { TrainConfig } from './config.ts';
import { openFeatures } from './features.ts';
import { openTower, type Tower } from './tower.ts';
import { type TrainingEvent, type TrainingSplit, trainDecoder } from './trainer.ts';

export interface RunOptions {
  /** A dataset as `readDataset` takes it. */
  readonly data: string;
  /** A folder with a pretrained vision tower. */
  readonly tower: string;
  /** The run's folder; must be empty or new. */
  readonly output: string;
  readonly config: TrainConfig;
  readonly threads?: number;
  readonly device?: string;
  /** Where computed image features are kept; default: `features` in the run's folder. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  /** A sentence for the person. */
  onNote(note: string): void;
  onFeatures(done: number, total: number): void;
  onEvent(event: TrainingEvent): void;
}

/**
 * Trains a captioner and leaves `config.json`, `metrics.jsonl`, `best/` and `last/` in the run's
 * folder; the two models open with `caption --model`.
 * @throws InputError naming the file, image or setting at fault
 */
export async function trainRun(options: RunOptions): Promise<void> {
  const { config, output } = options;
  await prepareFolder(output);
  const dataset = await readDataset(options.data);
  for (const note of dataset.notes) options.onNote(note);
  const tower = await openTower(options.tower);
  const trainImages = wanted(imagesOfSplit(dataset, 'train'), 'train', options.data);
  const devImages = wanted(imagesOfSplit(dataset, 'dev'), 'dev', options.data);

  const texts = trainImages.flatMap(({ captions }) =>
    captions.map((caption) => trainingText(caption, config.maxWords)),
  );
  const vocabulary = makeVocabulary(texts, { minCount: config.minWordCount });
  const tokenizer = tokenizerFromVocabulary(vocabulary.tokens);
  const model = captionerConfig(config, tower, tokenizer);
  options.onNote(
    `${trainImages.length} train and ${devImages.length} dev images; ${vocabulary.tokens.length} words in the vocabulary, ${vocabulary.unknown} of ${vocabulary.words} uses outside it.`,
  );
  await writeFileAtomic(
    join(output, 'config.json'),
    `${JSON.stringify({ train: config, data: options.data, tower: options.tower, model }, null, 2)}\n`,
  );

  const open = async (images: readonly DatasetImage[]): Promise<TrainingSplit> => ({
    captions: images.map(({ captions }) =>
      captions.map((caption) =>
        encodeCaption(caption, tokenizer, model.text_config.bos_token_id, config.maxWords),
      ),
    ),
    features: await openFeatures(
      tower,
      images.map(({ path, captions }) => ({ path, mayFlip: mayFlip(captions) })),
      {
        ...sessionOptions(options),
        folder: options.cache ?? join(output, 'features'),
        onProgress: options.onFeatures,
        onNote: options.onNote,
        ...(options.signal && { signal: options.signal }),
      },
    ),
  });
  const train = await open(trainImages);
  await using _train = train.features;
  const dev = await open(devImages);
  await using _dev = dev.features;

  const save = async (name: string, store: ParameterStore): Promise<void> => {
    const weights = new Map([...storeWeights(tower.store), ...storeWeights(store)]);
    await saveModel(
      join(output, name),
      {
        config: model,
        weights,
        dtype: 'f16',
        tokenizer: { vocabulary: vocabulary.tokens },
        preprocessing: tower.preprocessing,
        generation: { max_length: config.maxWords + 2, suppress_tokens: [tokenizer.ids.unknown] },
      },
      { overwrite: true },
    );
  };
  await trainDecoder({
    config,
    model,
    train,
    dev,
    session: sessionOptions(options),
    ...(options.signal && { signal: options.signal }),
    onEvent: async (event) => {
      options.onEvent(event);
      if (event.kind !== 'step' || event.step % config.logEvery === 0)
        await appendFile(join(output, 'metrics.jsonl'), `${JSON.stringify(event)}\n`);
    },
    onEpoch: async (store, isBest) => {
      await save('last', store);
      if (isBest) await save('best', store);
    },
  });
}

function sessionOptions({ threads, device }: RunOptions): { threads?: number; device?: string } {
  return { ...(threads !== undefined && { threads }), ...(device !== undefined && { device }) };
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const there = await readdir(folder);
  if (there.some((name) => name !== 'features'))
    throw new InputError(`${folder}: there is a run already; choose another --output folder`);
}

function wanted(images: DatasetImage[], split: string, data: string): DatasetImage[] {
  if (images.length === 0) throw new InputError(`${data}: the ${split} split has no image`);
  return images;
}

/** BLIP in small over the tower: the decoder's sizes from the settings, the ids from the tokenizer. */
function captionerConfig(
  config: TrainConfig,
  tower: Tower,
  tokenizer: CaptionTokenizer,
): BlipConfig {
  return parseBlipConfig(
    {
      vision_config: tower.config,
      text_config: {
        vocab_size: tokenizer.size,
        hidden_size: config.width,
        encoder_hidden_size: tower.config.hidden_size,
        intermediate_size: 4 * config.width,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        max_position_embeddings: 64,
        hidden_dropout_prob: config.dropout,
        attention_probs_dropout_prob: config.dropout,
        bos_token_id: tokenizer.ids.cls,
        pad_token_id: tokenizer.ids.pad,
        sep_token_id: tokenizer.ids.sep,
        label_smoothing: config.labelSmoothing,
      },
    },
    'the training settings',
  );
}
