/** From an image to a model's input: resized and normalised as processor_config.json or preprocessor_config.json says. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { type ResizeFilter, resizeRgb } from './resize.ts';
import type { RgbImage } from './rgb.ts';

const size = z.int().min(1).max(8192);
const triple = z.tuple([z.number(), z.number(), z.number()]);
const perChannel = z.union([triple, z.number().transform((x) => [x, x, x] as const)]);

/**
 * The fields of transformers' image processors that decide the pixels; other fields are ignored. Of
 * do_convert_rgb nothing is left to decide: a picture that is not RGB cannot be normalised without it.
 */
const fileSchema = z.object({
  do_resize: z.boolean().default(true),
  size: z
    .union([
      z.object({ height: size, width: size }),
      size.transform((n) => ({ height: n, width: n })),
    ])
    .default({ height: 384, width: 384 }),
  resample: z.int().default(3),
  do_center_crop: z.literal(false, 'BLIP has no centre crop').nullish(),
  do_pad: z.literal(false, 'BLIP has no padding').nullish(),
  do_rescale: z.boolean().default(true),
  rescale_factor: z
    .number()
    .positive()
    .default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
});

/** What must not be left to a default when the file is of another kind of model, which has other defaults. */
const deciding = ['size', 'resample', 'image_mean', 'image_std', 'do_center_crop'] as const;
const kindSchema = z.looseObject({ image_processor_type: z.string() });

/** Pillow's numbers for its filters. */
const filterOfCode: Readonly<Record<number, ResizeFilter>> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'bilinear',
  3: 'bicubic',
  4: 'box',
  5: 'hamming',
};

/** How images become pixel values: value = (byte * rescale - mean) / std, per channel. */
export interface Preprocessing {
  /** Pixels of the model's input. */
  readonly width: number;
  readonly height: number;
  /** Undefined: images must have the input's size already. */
  readonly filter: ResizeFilter | undefined;
  readonly rescale: number;
  /** Red, green, blue. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** BLIP's own preprocessing: CLIP's mean and standard deviation, bicubic, 384 x 384 unless given. */
export function blipPreprocessing(pixels = 384): Preprocessing {
  return parsePreprocessing({ size: pixels }, 'defaults');
}

/**
 * Reads the content of a preprocessor_config.json (transformers' BlipImageProcessor).
 * @param source names the file in messages.
 * @throws InputError naming the field when it is wrong or asks for a step that BLIP does not have
 * (centre crop, padding, keeping the aspect ratio).
 */
export function parsePreprocessing(json: unknown, source: string): Preprocessing {
  checkKind(json, source);
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || 'the file';
    const hint =
      issue?.path[0] === 'size'
        ? 'must be {height, width} or one number (BLIP does not keep the aspect ratio)'
        : issue?.message;
    throw new InputError(`${source}: ${field}: ${hint ?? 'is not valid'}.`);
  }
  const fields = parsed.data;
  const filter = filterOfCode[fields.resample];
  if (fields.do_resize && filter === undefined)
    throw new InputError(
      `${source}: resample: ${fields.resample} is none of Pillow's filters, 0 to 5; BLIP's own is 3 (bicubic).`,
    );
  if (fields.do_normalize && fields.image_std.some((x) => x === 0))
    throw new InputError(`${source}: image_std: must not be zero.`);
  const [m0, m1, m2] = fields.do_normalize ? fields.image_mean : [0, 0, 0];
  const [s0, s1, s2] = fields.do_normalize ? fields.image_std : [1, 1, 1];
  return Object.freeze({
    ...fields.size,
    filter: fields.do_resize ? filter : undefined,
    rescale: fields.do_rescale ? fields.rescale_factor : 1,
    mean: [m0, m1, m2] as const,
    std: [s0, s1, s2] as const,
  });
}

/** @throws InputError for another model's processor that leaves open what only its Python code knows */
function checkKind(json: unknown, source: string): void {
  const kind = kindSchema.safeParse(json);
  if (!kind.success || /^Blip/.test(kind.data.image_processor_type)) return;
  const field = deciding.find((name) => kind.data[name] === undefined);
  if (field !== undefined)
    throw new InputError(
      `${source}: ${field} is missing, and what a ${kind.data.image_processor_type} then does is not BLIP's default; write it into the file.`,
    );
}

/** The content of a preprocessor_config.json that says the same; it opens in transformers. */
export function preprocessingToJson(preprocessing: Preprocessing): Record<string, unknown> {
  const { width, height, filter, rescale, mean, std } = preprocessing;
  const code = Object.entries(filterOfCode).find(([, name]) => name === filter)?.[0];
  return {
    image_processor_type: 'BlipImageProcessor',
    do_convert_rgb: true,
    do_resize: filter !== undefined,
    size: { height, width },
    resample: Number(code ?? 3),
    do_rescale: true,
    rescale_factor: rescale,
    do_normalize: true,
    image_mean: [...mean],
    image_std: [...std],
  };
}

/** Turns images into a model's pixel values. */
export interface Preprocessor {
  readonly preprocessing: Preprocessing;
  /** Values of one image: 3 * height * width. */
  readonly valuesPerImage: number;
  /** Resizes to the model's size; bytes may be kept in place of values, at a quarter of the room. */
  resize(image: RgbImage): RgbImage;
  /**
   * Resizes `image` and writes its values as [3, height, width] at place `slot` of the batch `target`,
   * which is [batch, 3, height, width].
   */
  write(image: RgbImage, target: Float32Array, slot?: number): void;
}

/** Makes a preprocessor. Normalising is a table of 256 values a channel. */
export function createPreprocessor(preprocessing: Preprocessing): Preprocessor {
  const { width, height, filter } = preprocessing;
  const plane = width * height;
  const tables = [0, 1, 2].map((channel) => valueTable(preprocessing, channel));
  const resize = (image: RgbImage): RgbImage => {
    if (filter !== undefined) return resizeRgb(image, width, height, filter);
    if (image.width === width && image.height === height) return image;
    throw new InputError(
      `the image is ${image.width} x ${image.height} pixels where the model, which does not resize, needs ${width} x ${height}.`,
    );
  };
  return {
    preprocessing,
    valuesPerImage: 3 * plane,
    resize,
    write: (image, target, slot = 0) => {
      const { data } = resize(image);
      const start = slot * 3 * plane;
      if (slot < 0 || start + 3 * plane > target.length)
        throw new RangeError(`slot ${slot} is outside a batch of ${target.length} values`);
      for (let channel = 0; channel < 3; channel++) {
        const table = tables[channel];
        const at = start + channel * plane;
        for (let i = 0, s = channel; i < plane; i++, s += 3) target[at + i] = table[data[s]];
      }
    },
  };
}

/** In f32 steps as transformers' NumPy code: rescaled, rounded to f32, then mean and deviation. */
function valueTable({ rescale, mean, std }: Preprocessing, channel: number): Float32Array {
  const shift = Math.fround(mean[channel]);
  const scale = Math.fround(std[channel]);
  return Float32Array.from(
    { length: 256 },
    (_, byte) => Math.fround(Math.fround(byte * rescale) - shift) / scale,
  );
}
