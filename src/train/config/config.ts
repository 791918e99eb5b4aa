/** The settings of a training run, checked, with their defaults, and the presets. */
import * as z from 'zod';
import { UsageError } from '../../base/errors.ts';
import { defaultFrames } from '../../data/films/pool.ts';
import { alignmentSchema, refinementSchema } from '../../model/refiner/refiner.ts';
import type { PresetName } from './names.ts';

const count = z.int().positive();
const rate = z.number().min(0).lt(1);
const weight = z.number().nonnegative();

/** null: 8, or the decoder's own number where 8 does not divide its width. */
const layerHeads = { heads: count.nullable().default(null) };

const schema = z.strictObject({
  /** Seed of everything random: first weights, data order, dropout, views, samples. */
  seed: z.int().nonnegative().default(1),
  epochs: count.default(8),
  /** Ends the run earlier; the schedule ends there too. */
  maxSteps: count.nullable().default(null),
  /** Images a step. */
  batchSize: count.default(32),
  /** Images computed at once; gradients of several such parts add up to the step's. null: the whole step, or what the memory limit allows. */
  microBatch: count.nullable().default(null),
  /** Captions of an image in a step; null: all. An epoch shows every caption once in either case. */
  captionsPerImage: count.nullable().default(null),
  /** Peak learning rate. null: 1e-3 for a fresh decoder, 2e-5 for a trained one, 5e-5 for self-critical training. */
  learningRate: z.number().positive().nullable().default(null),
  /** Peak learning rate of the vision tower's trained blocks; null: that of the rest. */
  visionLearningRate: z.number().positive().nullable().default(null),
  /** Steps in which the rate climbs to its peak; null: a tenth of all, at most 150. */
  warmupSteps: z.int().nonnegative().nullable().default(null),
  schedule: z.enum(['constant', 'linear', 'cosine']).default('cosine'),
  /** The schedule's end, as a share of the peak. */
  scheduleFloor: z.number().min(0).max(1).default(0),
  weightDecay: weight.default(0.05),
  beta1: rate.default(0.9),
  beta2: rate.default(0.98),
  /** Gradients are scaled down to this norm. */
  maxGradientNorm: z.number().positive().default(1),
  labelSmoothing: rate.default(0.1),
  /** Of the decoder. */
  dropout: rate.default(0.15),
  /** Of the image tokens' channels, whole channels of an image at a time. */
  imageDropout: rate.default(0),
  /** Decay of the moving average of the weights, which is then what is validated and saved; 0: none. */
  ema: rate.default(0),
  /** Longer captions are cut. */
  maxWords: count.default(22),
  /** What every caption begins with; its tokens are not trained. */
  prompt: z.string().default(''),
  /** Uses in the training captions that a word needs to be in a fresh decoder's vocabulary. */
  minWordCount: count.default(5),
  /** A vocab.txt, such as BERT's, that a fresh decoder's vocabulary is trimmed from; null: whole words. */
  vocabulary: z.string().min(1).nullable().default(null),
  /** Layers, width and heads of a fresh decoder. */
  layers: count.default(2),
  width: count.default(256),
  heads: count.default(8),
  /**
   * Concepts of a fresh decoder: names of what the tower's classifier sees, and words that the captions are likely to
   * hold, as tokens beside the image's. A captioner that has them keeps its own, and with them what scores them, unless
   * this is set: then they are scored anew, by what is fitted to this run's pictures.
   */
  concepts: z
    .strictObject({
      /** Tokens for the likeliest names, and for the likeliest words. */
      classTokens: z.int().nonnegative().default(5),
      wordTokens: z.int().nonnegative().default(10),
      /** Words that are predicted: the commonest of the captions that name something. */
      words: z.int().nonnegative().default(700),
      /** Captions that a name needs to be in to count as what people say. */
      minNameCount: count.default(5),
      /** Parts of the training images, each scored by what was fitted to the others. */
      folds: z.int().min(2).default(4),
    })
    .nullable()
    .default(null),
  /** Weight an image of the loss that keeps what scores concepts right while the tower is trained. */
  conceptWeight: weight.default(0.1),
  /** Captions without pictures, which teach a decoder with concepts: JSON lines with `captions`. */
  texts: z
    .strictObject({
      files: z.array(z.string().min(1)).nonempty(),
      /** Texts (of one thing each) a step, and captions of each. */
      batchSize: count.default(48),
      captions: count.default(2),
      /** Weight of their loss a word beside the pictures'. */
      weight: weight.default(0.7),
    })
    .nullable()
    .default(null),
  /** Further sources of pictures with captions beside --data, and how often an epoch shows each of their pictures. */
  moreData: z
    .array(z.strictObject({ data: z.string().min(1), repeat: count.default(1) }))
    .default([]),
  /** Reads the training pictures of shards as a stream, in an order that is shuffled by shards and within a buffer. */
  stream: z
    .strictObject({
      /** Pictures that wait to be drawn. */
      buffer: count.default(1000),
      /** Pictures of an epoch, where no manifest of `refcap data pack` counts them. */
      epochImages: count.nullable().default(null),
      /** A frozen tower's features: kept on the disk, shard by shard, or computed in every step. */
      features: z.enum(['cached', 'computed']).default('cached'),
      /** Reads all captions once before the first step, and makes a fresh decoder's vocabulary of them. */
      countWords: z.boolean().default(false),
    })
    .nullable()
    .default(null),
  /** How often an epoch shows a picture whose caption a person accepted or wrote (`refcap review`). */
  weightReviewed: count.default(1),
  /** Blocks of the vision tower that are trained too, counted from its end; 'all': the whole tower. */
  visionBlocks: z.union([z.int().nonnegative(), z.literal('all')]).default(0),
  /** Trains low-rank adapters instead of the decoder's (and chosen vision blocks') own weights; merged when saved. */
  lora: z
    .strictObject({
      rank: count.default(8),
      /** The adapters' product is scaled by alpha / rank. */
      alpha: z.number().positive().default(16),
      /** Linear layers, by the ends of their names. */
      layers: z.array(z.string().min(1)).nonempty().default(['query', 'value', 'qkv']),
    })
    .nullable()
    .default(null),
  /** Frames of a clip, spread over it, that are read as one image; where there are clips, a picture is one that stands still. */
  frames: count.max(32).default(defaultFrames),
  /** Stored versions of each training image under a frozen tower: the plain one and augmented ones. */
  views: count.default(1),
  /** Random resized crop and flip, for stored views and for a tower in training; null: none. */
  augmentation: z
    .strictObject({
      scale: z.tuple([z.number().positive(), z.number().max(1)]).default([0.5, 1]),
      ratio: z.tuple([z.number().positive(), z.number().positive()]).default([3 / 4, 4 / 3]),
      flip: z.boolean().default(true),
    })
    .nullable()
    .default({ scale: [0.5, 1], ratio: [3 / 4, 4 / 3], flip: true }),
  /** The caption refinement network, and the semantic alignment layer; null leaves one out. */
  refinement: refinementSchema.extend(layerHeads).nullable().default(null),
  alignment: alignmentSchema
    .extend({
      ...layerHeads,
      /** A loss that draws the layer's attention for a phrase's words into the boxes that people drew for it. */
      grounding: z
        .strictObject({
          /** Boxes of the training pictures' phrases, as JSON lines. */
          entities: z.string().min(1),
          weight: z.number().positive().default(1),
        })
        .nullable()
        .default(null),
    })
    .nullable()
    .default(null),
  /** Layer of the decoder that the two read, counted from 0; null: the last. */
  readLayer: z.int().nonnegative().nullable().default(null),
  /** lambda: weight of the base path's cross-entropy beside the refined path's. */
  baseWeight: weight.default(1),
  /** mu: weight of the divergence that draws the base path to the refined one. */
  distillationWeight: weight.default(1),
  distillationTemperature: z.number().positive().default(1),
  /** What the refined path's losses train: all that is under the layers too, or the layers and the shared head alone. */
  refinedGradient: z.enum(['whole', 'layers']).default('whole'),
  /** Cross-entropy on the captions given, or self-critical training on CIDEr-D. */
  stage: z.enum(['cross-entropy', 'scst']).default('cross-entropy'),
  scst: z
    .strictObject({
      /** Captions drawn for each image. */
      samples: z.int().min(2).default(5),
      /** What a sample's reward is compared with: the mean of the other samples, or greedy decoding. */
      baseline: z.enum(['mean', 'greedy']).default('mean'),
      /** Weight of the cross-entropy objective mixed in. */
      crossEntropy: weight.default(0.1),
      temperature: z.number().positive().default(1),
    })
    .default({ samples: 5, baseline: 'mean', crossEntropy: 0.1, temperature: 1 }),
  /** Dev images that captions are written for and scored at each validation; null: all; 0: none. */
  validationImages: z.int().nonnegative().nullable().default(null),
  validationBeams: count.default(1),
  /** Beams that the saved model's generation_config.json asks for. */
  savedBeams: count.default(3),
  /** Pictures whose captions are shown after each validation. */
  samplePictures: z.int().nonnegative().default(8),
  /** What the best model is chosen by, and early stopping. */
  bestBy: z.enum(['loss', 'CIDEr-D', 'BLEU-4', 'METEOR', 'ROUGE-L']).default('loss'),
  /** Stops after so many validations without a better one; null: never. */
  patience: count.nullable().default(null),
  /** Steps between checkpoints within an epoch; each epoch's end has one in any case. */
  checkpointEvery: count.default(500),
  keepCheckpoints: count.default(2),
  /** Steps with a non-finite loss or gradient are skipped; so many in a row end the run. */
  maxSkippedSteps: count.default(10),
  logEvery: count.default(10),
  /** Format of the saved models' weights. */
  dtype: z.enum(['f32', 'f16']).default('f16'),
});

export type TrainConfig = Readonly<z.infer<typeof schema>>;

/** Settings under a name; what a file or a flag says goes before them. */
export const presets: Readonly<Record<PresetName, Readonly<Record<string, unknown>>>> = {
  /** Both layers, refinement reading the sibling captions: a teacher over the base path's own states. */
  refcap: {
    refinement: { context: 'siblings' },
    alignment: {},
    baseWeight: 1,
    distillationWeight: 1,
    refinedGradient: 'layers',
  },
  /** The published recipe: both layers, cross-entropy on the refined path alone. */
  paper: {
    learningRate: 1e-5,
    schedule: 'constant',
    warmupSteps: 0,
    epochs: 14,
    batchSize: 16,
    captionsPerImage: 1,
    labelSmoothing: 0,
    weightDecay: 0.01,
    beta2: 0.999,
    refinement: {},
    alignment: {},
    baseWeight: 0,
    distillationWeight: 0,
    refinedGradient: 'whole',
  },
  /** No training-only layers. */
  plain: {},
};

/** Fills in defaults. @throws UsageError naming the setting that is wrong, or both of a bad pair */
export function parseTrainConfig(settings: unknown): TrainConfig {
  const result = schema.safeParse(settings);
  if (!result.success) {
    const [issue] = result.error.issues;
    const path = issue.path.join('.');
    if (issue.code === 'unrecognized_keys')
      throw new UsageError(
        `${path ? `${path}: ` : ''}there is no setting ${issue.keys.join(', ')}; docs/training.md lists them all`,
      );
    throw new UsageError(`${path || 'the configuration'}: ${issue.message}`);
  }
  const fault = badPair(result.data);
  if (fault !== undefined) throw new UsageError(fault);
  return Object.freeze(result.data);
}

function badPair(config: TrainConfig): string | undefined {
  const { refinement, alignment, views, augmentation } = config;
  if (config.width % config.heads !== 0)
    return `heads (${config.heads}) does not divide width (${config.width})`;
  if (config.microBatch !== null && config.microBatch > config.batchSize)
    return `microBatch (${config.microBatch}) is more than batchSize (${config.batchSize})`;
  if (views > 1 && augmentation === null)
    return `views (${views}) needs augmentation, which is null: all views would be the same`;
  if (views > 1 && config.visionBlocks !== 0)
    return `views (${views}) are for a frozen tower, but visionBlocks is ${config.visionBlocks}: a tower in training gets fresh augmentation`;
  if (config.visionLearningRate !== null && config.visionBlocks === 0)
    return `visionLearningRate (${config.visionLearningRate}) is for a tower in training, but visionBlocks is 0`;
  if (augmentation && augmentation.scale[0] > augmentation.scale[1])
    return `augmentation.scale: ${augmentation.scale[0]} is more than ${augmentation.scale[1]}`;
  if (augmentation && augmentation.ratio[0] > augmentation.ratio[1])
    return `augmentation.ratio: ${augmentation.ratio[0]} is more than ${augmentation.ratio[1]}`;
  if (config.readLayer !== null && !refinement && !alignment)
    return `readLayer (${config.readLayer}) needs refinement or alignment, and both are null`;
  if (config.refinedGradient === 'layers' && config.baseWeight + config.distillationWeight === 0)
    return 'refinedGradient (layers) leaves the decoder untrained with baseWeight and distillationWeight both 0';
  if (config.bestBy !== 'loss' && config.validationImages === 0)
    return `bestBy (${config.bestBy}) needs captions, but validationImages is 0`;
  return config.stream ? notOfStreams(config) : undefined;
}

/** What needs all pictures or captions of a run before its first step. */
function notOfStreams(config: TrainConfig): string | undefined {
  const { stage, moreData, weightReviewed, concepts, texts, alignment, views, stream } = config;
  const fault =
    stage === 'scst'
      ? 'stage scst rewards words by how rare they are in all captions'
      : concepts
        ? 'concepts are fitted to all pictures'
        : texts
          ? 'texts teach concepts, which are fitted to all pictures'
          : alignment?.grounding
            ? 'alignment.grounding matches its boxes with all pictures'
            : moreData.length > 0
              ? 'moreData is drawn from all pictures of its sources'
              : weightReviewed !== 1
                ? `weightReviewed (${weightReviewed}) repeats pictures, which are counted first`
                : undefined;
  if (fault !== undefined) return `stream reads pictures as they come, but ${fault}; leave one out`;
  if (stream?.countWords && config.vocabulary !== null)
    return 'stream.countWords makes a vocabulary, but vocabulary gives one; leave one out';
  if (views > 1 && stream?.features === 'computed')
    return `views (${views}) are stored, but stream.features is computed: then each step has fresh augmentation`;
  return undefined;
}

/** The peak learning rate: the one given, or the usual one for how the decoder begins. */
export function peakLearningRate(config: TrainConfig, isFresh: boolean): number {
  if (config.learningRate !== null) return config.learningRate;
  if (config.stage === 'scst') return 5e-5;
  return isFresh ? 1e-3 : 2e-5;
}
