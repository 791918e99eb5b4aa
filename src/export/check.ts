/** What an export's format costs: captions beside those of the model itself, on given pictures. */
import { InputError } from '../base/errors.ts';
import { Captioner } from '../caption/captioner.ts';
import type { PreparedImage } from '../caption/prepare.ts';
import { imagesOfSplit, type SplitName } from '../data/datasets/dataset.ts';
import { readDataset } from '../data/datasets/read.ts';
import { listImages } from '../data/images/folder.ts';
import { tensor } from '../engine/runtime/tensor.ts';
import { resolveGeneration } from '../generation/options.ts';
import type { ResolveOptions } from '../hub/resolve.ts';
import type { Difference } from '../metrics/bootstrap.ts';
import { scoreSystems } from '../metrics/corpus/score.ts';
import { ExportedModel } from './exported.ts';
import type { WrittenOnnx } from './onnx-file.ts';

/** Which pictures are captioned. */
export interface ExportCheck {
  /** A folder of pictures, or, with a split, a dataset as `readDataset` takes it. */
  readonly pictures: string;
  readonly split?: SplitName;
  /** The first so many alone. */
  readonly limit?: number;
  readonly onCaptioned?: (done: number, total: number) => void;
}

/** By greedy search, on the same pixels. */
export interface ExportError {
  readonly pictures: number;
  /** Pictures that cannot be read. */
  readonly unreadable: number;
  /** Captions that are not the model's. */
  readonly changed: number;
  /** Where there are references: CIDEr-D of the model, and the export's less the model's, by paired bootstrap. */
  readonly cider?: { readonly model: number; readonly difference: Difference };
}

export interface CheckedPicture {
  readonly path: string;
  readonly references: readonly string[];
}

interface ModelOptions {
  readonly members?: number;
  readonly imageSize?: number;
  readonly hub?: ResolveOptions;
  readonly signal?: AbortSignal;
}

const batchSize = 8;

/**
 * Captions the pictures with the model and with its export.
 * @param files encoder and decoder, with the paths where they lie now
 * @throws InputError when none of the pictures can be read; the signal's reason when aborted
 */
export async function checkExport(
  model: string,
  files: readonly WrittenOnnx[],
  pictures: readonly CheckedPicture[],
  check: ExportCheck,
  { signal, ...options }: ModelOptions,
): Promise<ExportError> {
  using captioner = await Captioner.load(model, options);
  using exported = await ExportedModel.open(files);
  const captions: [string[], string[]] = [[], []];
  const kept: CheckedPicture[] = [];
  for (let start = 0; start < pictures.length; start += batchSize) {
    signal?.throwIfAborted();
    const batch = await readable(captioner, pictures.slice(start, start + batchSize));
    if (batch.length > 0) {
      const images = batch.map(({ image }) => image);
      const both = [
        await captionByModel(captioner, images),
        await captionByExport(captioner, exported, images),
      ];
      for (const [i, texts] of both.entries()) captions[i].push(...texts);
      kept.push(...batch.map(({ picture }) => picture));
    }
    check.onCaptioned?.(Math.min(start + batchSize, pictures.length), pictures.length);
  }
  if (kept.length === 0)
    throw new InputError(`${check.pictures}: none of the ${pictures.length} pictures can be read.`);
  const [before, after] = captions;
  return {
    pictures: kept.length,
    unreadable: pictures.length - kept.length,
    changed: before.filter((text, i) => text !== after[i]).length,
    ...(check.split !== undefined && { cider: await ciderOf(captions, kept) }),
  };
}

/** @throws InputError when there are none */
export async function picturesToCheck({
  pictures,
  split,
  limit,
}: ExportCheck): Promise<CheckedPicture[]> {
  const all =
    split === undefined
      ? await imagesBelow(pictures)
      : imagesOfSplit(await readDataset(pictures), split)
          .filter(({ captions }) => captions.length > 0)
          .map(({ path, captions }) => ({ path, references: captions }));
  if (all.length === 0)
    throw new InputError(
      split === undefined
        ? `${pictures}: there are no pictures to check the export on.`
        : `${pictures}: the ${split} split has no image with a caption.`,
    );
  return all.slice(0, limit);
}

/** Also those in the zips that COCO comes in. */
async function imagesBelow(path: string): Promise<CheckedPicture[]> {
  const { files, pathOf } = await listImages(path);
  return files.map((file) => ({ path: pathOf(file), references: [] }));
}

async function readable(
  captioner: Captioner,
  pictures: readonly CheckedPicture[],
): Promise<{ picture: CheckedPicture; image: PreparedImage }[]> {
  const all = await Promise.all(
    pictures.map(async (picture) => {
      const image = await captioner.prepare(picture.path).catch((error: unknown) => {
        if (error instanceof InputError) return undefined;
        throw error;
      });
      return image ? [{ picture, image }] : [];
    }),
  );
  return all.flat();
}

const greedy = { num_beams: 1, num_return_sequences: 1, do_sample: false } as const;

async function captionByModel(
  captioner: Captioner,
  images: readonly PreparedImage[],
): Promise<string[]> {
  const all = await captioner.captionPrepared(images, greedy);
  return all.map(({ caption }) => caption);
}

async function captionByExport(
  captioner: Captioner,
  exported: ExportedModel,
  images: readonly PreparedImage[],
): Promise<string[]> {
  const { config, tokenizer, defaults } = captioner;
  const size = config.vision_config.image_size;
  const pixels = new Float32Array(images.length * 3 * size * size);
  for (const [i, image] of images.entries()) pixels.set(image.pixels, i * 3 * size * size);
  const all = await exported.generate(
    tensor('f32', [images.length, 3, size, size], pixels),
    resolveGeneration(greedy, defaults),
    { config: config.text_config, prompt: [config.text_config.bos_token_id] },
  );
  return all.map(([{ ids }]) => tokenizer.decode(ids));
}

async function ciderOf(
  captions: readonly (readonly string[])[],
  pictures: readonly CheckedPicture[],
): Promise<{ model: number; difference: Difference }> {
  const references = pictures.map((picture) => picture.references);
  const [model, exported] = await scoreSystems(captions, references, {
    metrics: 'CIDEr',
    bootstrap: 1000,
    seed: 1,
  });
  const difference = exported.differences?.CIDEr;
  if (!difference) throw new Error('CIDEr was not scored');
  return { model: model.scores.CIDEr, difference };
}
