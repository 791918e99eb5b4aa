/** Where a step's images come from: the feature cache of a frozen tower, or pictures decoded anew. */
import { f16ToF32 } from '../../base/half.ts';
import { createRandom } from '../../base/random.ts';
import { type Augmentation, augment } from '../../data/images/augment.ts';
import { decodeImage } from '../../data/images/decode.ts';
import type { Preprocessor } from '../../data/images/preprocess.ts';
import { type Tensor, tensor } from '../../engine/runtime/tensor.ts';
import { dropoutSeed } from '../../nn/dropout.ts';
import type { FeatureCache, FeatureImage } from '../features/cache.ts';

/** The images of a split, in its order. */
export interface ImageFeed {
  /** The graph's input that they go to. */
  readonly kind: 'pixels' | 'tokens';
  /**
   * Images at these places, as one tensor.
   * @param draw seed of views or augmentation; undefined: the images as they are
   * @throws InputError naming an image or a file that cannot be read
   */
  read(places: readonly number[], draw?: number): Promise<Tensor>;
}

/** Tokens of a frozen tower; `draw` chooses a stored view of each image. */
export function cachedImages(
  cache: FeatureCache,
  width: number,
  dtype: 'f16' | 'f32' = 'f16',
): ImageFeed {
  const size = cache.valuesPerImage;
  return {
    kind: 'tokens',
    async read(places, draw) {
      const random = draw === undefined ? undefined : createRandom(draw);
      const views = places.map(() => random?.integer(cache.views) ?? 0);
      const tokens = tensor('f16', [places.length, size / width, width]);
      await cache.read(places, views, tokens.data);
      return dtype === 'f16' ? tokens : tensor('f32', tokens.shape, f16ToF32(tokens.data));
    },
  };
}

/** Pixels for a tower in training, freshly augmented. */
export function decodedImages(
  images: readonly FeatureImage[],
  preprocessor: Preprocessor,
  augmentation: Augmentation | null,
): ImageFeed {
  const { width, height } = preprocessor.preprocessing;
  return {
    kind: 'pixels',
    async read(places, draw) {
      const pixels = tensor('f32', [places.length, 3, height, width]);
      const decoded = await Promise.all(places.map((place) => decodeImage(images[place].path)));
      for (const [slot, image] of decoded.entries()) {
        const place = places[slot];
        const seen =
          draw === undefined || augmentation === null
            ? image
            : augment(
                image,
                augmentation,
                createRandom(dropoutSeed(draw, slot)),
                images[place].mayFlip,
              );
        preprocessor.write(seen, pixels.data, slot);
      }
      return pixels;
    },
  };
}
