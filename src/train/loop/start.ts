/** What a run starts from: a pretrained vision tower with a fresh decoder, or a whole captioner. */

import { InputError, UsageError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';
import { type TextTokenizer, tokenizerFromVocabulary } from '../../data/text/tokenizer.ts';
import { makeVocabulary } from '../../data/text/vocabulary.ts';
import { parseVocabulary } from '../../data/text/wordpiece.ts';
import type { ResolveOptions } from '../../hub/resolve.ts';
import type { GenerationOptions } from '../../model/checkpoint/generation-config.ts';
import { hashWeights } from '../../model/checkpoint/hash.ts';
import { memberFolders } from '../../model/checkpoint/members.ts';
import { loadModel } from '../../model/checkpoint/pretrained.ts';
import {
  hasRefiner,
  isRefinerParameter,
  openRefiner,
  refinerFileName,
} from '../../model/checkpoint/refiner.ts';
import type { ModelToSave } from '../../model/checkpoint/save.ts';
import {
  type Classifier,
  openTower,
  type PretrainedTower,
  towerOfModel,
} from '../../model/checkpoint/tower.ts';
import { conceptScope } from '../../model/concepts/concepts.ts';
import { type BlipConfig, parseBlipConfig } from '../../model/config.ts';
import type { RefinerConfig } from '../../model/refiner/refiner.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import { conceptConfig } from '../concepts/vocabulary.ts';
import type { TrainConfig } from '../config/config.ts';

/** A captioner about to be trained. */
export interface Start {
  readonly model: BlipConfig;
  readonly tower: PretrainedTower;
  readonly tokenizer: TextTokenizer;
  readonly isFresh: boolean;
  /** Tells starts apart: a hash of all weights, or of the tower's where the decoder is fresh. */
  readonly fingerprint: string;
  readonly note: string;
  /** What is saved with each model as it is. */
  readonly saved: Pick<ModelToSave, 'tokenizer' | 'preprocessing' | 'configJson'>;
  /** The model's own defaults of generation: what it must not write holds in training too. */
  readonly generation: GenerationOptions;
  /** Puts the pretrained values into the store; what is fresh keeps its first values. */
  fill(store: ParameterStore, refiner: RefinerConfig | undefined): Promise<void>;
}

/** Cleaned captions: those of pictures, and those without. */
export interface TrainingTexts {
  readonly pictures: readonly string[];
  readonly alone: readonly string[];
}

/** A fresh decoder over a tower; its vocabulary is made from the training captions, or of a stream the one given. */
export async function startFromTower(
  folder: string,
  config: TrainConfig,
  texts: TrainingTexts,
): Promise<Start> {
  const tower = await openTower(folder);
  const vocabulary = await vocabularyOf(config, texts);
  const tokenizer = tokenizerFromVocabulary(vocabulary.tokens, config.vocabulary ?? undefined);
  const model = freshConfig(config, tower, tokenizer, texts);
  return {
    model,
    tower,
    tokenizer,
    isFresh: true,
    fingerprint: tower.fingerprint,
    note: vocabulary.note,
    saved: {
      tokenizer: { vocabulary: vocabulary.tokens },
      preprocessing: tower.preprocessing,
    },
    generation: { suppress_tokens: [tokenizer.ids.unknown] },
    async fill(store) {
      copyTower(tower, store);
      if (tower.classifier && model.concept_config) copyClassifier(tower.classifier, store);
    },
  };
}

async function vocabularyOf(
  { vocabulary: path, minWordCount: minCount, stream }: TrainConfig,
  texts: TrainingTexts,
): Promise<{ readonly tokens: readonly string[]; readonly note: string }> {
  if (path !== null && stream) {
    const tokens = await readVocabulary(path);
    return { tokens, note: `${tokens.length} words and pieces in the vocabulary, as given` };
  }
  const base = path === null ? {} : { base: await readVocabulary(path), addWords: true };
  const made = makeVocabulary([...texts.pictures, ...texts.alone], { minCount, ...base });
  const what = path === null ? 'words' : 'words and pieces';
  return {
    tokens: made.tokens,
    note: `${made.tokens.length} ${what} in the vocabulary, ${made.unknown} of ${made.words} uses outside it`,
  };
}

async function readVocabulary(path: string): Promise<string[]> {
  const text = await readTextIfThere(path);
  if (text === undefined) throw new InputError(`${path}: there is no such vocabulary.`);
  return parseVocabulary(text, path);
}

/** A captioner that exists: its sizes and vocabulary stay. */
export async function startFromModel(
  path: string,
  config: TrainConfig,
  hub?: ResolveOptions,
): Promise<Start> {
  // Its confidence was calibrated for the weights that it has now.
  const opening = { hub, ignoreConfidence: true };
  const loaded = await loadModel(path, opening);
  await using _ = loaded;
  const others = await memberFolders(path);
  const rates = {
    hidden_dropout_prob: config.dropout,
    attention_probs_dropout_prob: config.dropout,
    label_smoothing: config.labelSmoothing,
  };
  const model = { ...loaded.config, text_config: { ...loaded.config.text_config, ...rates } };
  const tower = await towerOfModel(loaded);
  return {
    model,
    tower,
    tokenizer: loaded.tokenizer,
    isFresh: false,
    fingerprint: await hashWeights(loaded.weights),
    note: `starting from ${path}${others.length > 0 ? ' (its first member alone)' : ''}`,
    saved: {
      tokenizer: { folder: loaded.folder },
      preprocessing: loaded.preprocessing,
      configJson: loaded.configJson,
    },
    generation: loaded.generation,
    async fill(store, refiner) {
      await using again = await loadModel(path, opening);
      await again.weights.fill(store);
      if (!refiner || !(await hasRefiner(again.folder))) return;
      await using layers = await openRefiner(again.folder, model);
      const [here, there] = [JSON.stringify(sizes(refiner)), JSON.stringify(sizes(layers.config))];
      if (here !== there)
        throw new UsageError(
          `refinement and alignment (${here}) differ from those saved with ${path} (${there}); use the same, or remove ${refinerFileName} from the model to start them anew`,
        );
      for (const name of store.names)
        if (isRefinerParameter(name) && layers.source.tensors.has(name))
          await layers.source.readFloat32(name, store.tensor(name).data);
    },
  };
}

/** What decides the layers' parameters. */
function sizes({ refinement, alignment }: RefinerConfig): unknown {
  const of = (layer: { layers: number; heads: number; feedForward: number } | null) =>
    layer && [layer.layers, layer.heads, layer.feedForward];
  return { refinement: of(refinement), alignment: of(alignment) };
}

function copyTower(tower: PretrainedTower, store: ParameterStore): void {
  const there = new Set(store.names);
  for (const name of tower.store.names)
    if (there.has(name)) store.tensor(name).data.set(tower.store.tensor(name).data);
}

function copyClassifier({ weight, bias }: Classifier, store: ParameterStore): void {
  const there = new Set(store.names);
  for (const [part, values] of Object.entries({ weight, bias })) {
    const name = `${conceptScope}.classes.${part}`;
    if (there.has(name)) store.tensor(name).data.set(values);
  }
}

/** BLIP in small over the tower: the decoder's sizes from the settings, the ids from the tokenizer. */
function freshConfig(
  config: TrainConfig,
  tower: PretrainedTower,
  tokenizer: TextTokenizer,
  texts: TrainingTexts,
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
      ...(config.concepts && {
        concept_config: conceptConfig(
          { classes: tower.classifier?.names ?? [] },
          {
            pictures: texts.pictures.map((text) => text.split(' ')),
            alone: texts.alone.map((text) => text.split(' ')),
          },
          tokenizer,
          config.concepts,
        ),
      }),
    },
    'the training settings',
  );
}
