/** Where a step's images come from: the feature cache of a frozen tower, or pictures decoded anew. */
import { f16ToF32 } from '../../base/half.ts';
import { createRandom } from '../../base/random.ts';
import { sampleFrames } from '../../data/films/sample.ts';
import { type Augmentation, framed, randomFraming } from '../../data/images/augment.ts';
import type { Preprocessor } from '../../data/images/preprocess.ts';
import type { RgbImage } from '../../data/images/rgb.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { dropoutSeed } from '../../nn/dropout.ts';
import type { FeatureCache, FeatureImage } from '../features/cache.ts';
import { type SeenPart, seenPart, wholePicture } from '../grounding/cells.ts';

/** Images of a step. */
export interface FedImages {
  /** For the graph's input of the feed's kind. */
  readonly images: Tensor;
  /** For its inputs of concepts, where those are given. */
  readonly concepts: Readonly<Record<string, Tensor>>;
  /** What the layers that score concepts should say, while the tower under them is trained. */
  readonly targets?: Readonly<Record<string, Tensor>>;
  /** What is shown of each image, where the feed tells it. */
  readonly seen?: readonly SeenPart[];
}

/** The concepts that training images are shown with: of the images at these places in these views. */
export type ConceptFeed = (
  places: readonly number[],
  views: readonly number[],
) => Readonly<Record<string, Tensor>>;

const noConcepts: ConceptFeed = () => ({});

/** The images of a split, in its order. */
export interface ImageFeed {
  /** The graph's input that they go to. */
  readonly kind: 'pixels' | 'tokens';
  /**
   * Images at these places.
   * @param draw seed of views or augmentation; undefined: the images as they are
   * @throws InputError naming an image or a file that cannot be read
   */
  read(places: readonly number[], draw?: number): Promise<FedImages>;
}

/** What a stored view shows of an image; both are places. */
export type SeenParts = (place: number, view: number) => SeenPart;

/** Tokens of a frozen tower; `draw` chooses a stored view of each image. */
export function cachedImages(
  cache: FeatureCache,
  width: number,
  dtype: 'f16' | 'f32' = 'f16',
  concepts = noConcepts,
  seenOf?: SeenParts,
): ImageFeed {
  const size = cache.valuesPerImage;
  return {
    kind: 'tokens',
    async read(places, draw) {
      const random = draw === undefined ? undefined : createRandom(draw);
      const views = places.map(() => random?.integer(cache.views) ?? 0);
      const tokens = tensor('f16', [places.length, size / width, width]);
      await cache.read(places, views, tokens.data);
      const images = dtype === 'f16' ? tokens : tensor('f32', tokens.shape, f16ToF32(tokens.data));
      return {
        images,
        concepts: concepts(places, views),
        ...(seenOf && { seen: places.map((place, i) => seenOf(place, views[i])) }),
      };
    },
  };
}

/** Of how many frames an image is, and what goes with pixels where the model has concepts. */
export interface PixelOptions {
  /** Default 1. */
  readonly frames?: number;
  readonly concepts?: ConceptFeed;
  readonly targets?: (places: readonly number[]) => Readonly<Record<string, Tensor>>;
}

/** Pixels for a tower in training, freshly augmented. */
export function decodedImages(
  images: readonly FeatureImage[],
  preprocessor: Preprocessor,
  augmentation: Augmentation | null,
  { frames = 1, concepts = noConcepts, targets }: PixelOptions = {},
): ImageFeed {
  const { width, height } = preprocessor.preprocessing;
  return {
    kind: 'pixels',
    async read(places, draw) {
      const each = frames === 1 ? [3, height, width] : [frames, 3, height, width];
      const pixels = tensor('f32', [places.length, ...each]);
      const decoded = await Promise.all(
        places.map((place) => sampleFrames(images[place].path, frames)),
      );
      const seen: SeenPart[] = [];
      for (const [slot, clip] of decoded.entries()) {
        const write = (frame: RgbImage, i: number): void =>
          preprocessor.write(frame, pixels.data, slot * frames + i);
        if (draw === undefined || augmentation === null) {
          clip.forEach(write);
          seen.push(wholePicture);
          continue;
        }
        const random = createRandom(dropoutSeed(draw, slot));
        const [first] = clip;
        const framing = randomFraming(first, augmentation, random, images[places[slot]].mayFlip);
        // All frames of a clip are cut and turned alike.
        for (const [i, frame] of clip.entries()) write(framed(frame, framing), i);
        seen.push(seenPart(framing, first));
      }
      const plain = places.map(() => 0);
      return {
        images: pixels,
        concepts: concepts(places, plain),
        seen,
        ...(targets && { targets: targets(places) }),
      };
    },
  };
}
