/** From picture files to pixel values, against BLIP's processor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { InputError } from '../../../src/base/errors.ts';
import {
  blipPreprocessing,
  createPreprocessor,
  decodeImage,
  parsePreprocessing,
  preprocessingToJson,
} from '../../../src/data/index.ts';
import { run as verifyPreprocess } from '../../../verify/preprocess.ts';
import { fixtures } from '../../paths.ts';
import { samplePicture } from '../picture.ts';

const tiny = join(fixtures, 'blip', 'tiny');

/** One f32 tensor of a safetensors file. */
function readTensor(path: string, name: string): Float32Array {
  const file = readFileSync(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const [start, end] = header[name].data_offsets;
  return new Float32Array(
    Uint8Array.from(file.subarray(headerEnd + start, headerEnd + end)).buffer,
  );
}

describe('pixel values', () => {
  it('equal those of transformers for a batch of files', async () => {
    const { images } = JSON.parse(readFileSync(join(tiny, 'expected.json'), 'utf8')) as {
      images: string[];
    };
    const expected = readTensor(join(tiny, 'expected.safetensors'), 'all_pixel_values');
    const preprocessor = createPreprocessor(
      parsePreprocessing(
        JSON.parse(readFileSync(join(tiny, 'preprocessor_config.json'), 'utf8')),
        'preprocessor_config.json',
      ),
    );
    const batch = new Float32Array(images.length * preprocessor.valuesPerImage);
    for (const [slot, name] of images.entries())
      preprocessor.write(await decodeImage(join(tiny, 'images', name)), batch, slot);
    let largest = 0;
    for (let i = 0; i < batch.length; i++)
      largest = Math.max(largest, Math.abs(batch[i] - expected[i]));
    expect(batch.length).toBe(expected.length);
    expect(largest).toBeLessThanOrEqual(1e-6);
  });

  it('pass the reference cases byte for byte', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    expect(await verifyPreprocess([join(fixtures, 'preprocess')])).toBe(0);
    expect(log.mock.calls.at(-1)).toEqual(['preprocess: 9 of 9 equal']);
    log.mockRestore();
  });

  it('fill only their slot of the batch', () => {
    const preprocessor = createPreprocessor(blipPreprocessing(8));
    const n = preprocessor.valuesPerImage;
    const batch = new Float32Array(3 * n).fill(7);
    preprocessor.write(samplePicture(20, 10), batch, 1);
    expect([...batch.subarray(0, n), ...batch.subarray(2 * n)].every((x) => x === 7)).toBe(true);
    expect(batch.subarray(n, 2 * n).some((x) => x === 7)).toBe(false);
    expect(() => preprocessor.write(samplePicture(20, 10), batch, 3)).toThrow(RangeError);
  });

  it('are planes of red, green and blue', () => {
    const red = {
      width: 2,
      height: 2,
      data: Uint8Array.from([255, 0, 128, 255, 0, 128, 255, 0, 128, 255, 0, 128]),
    };
    const half = { size: 2, image_mean: 0.5, image_std: [0.5, 0.5, 0.25] };
    const out = new Float32Array(12);
    createPreprocessor(parsePreprocessing(half, 'test')).write(red, out);
    expect([...out]).toEqual([
      1,
      1,
      1,
      1,
      -1,
      -1,
      -1,
      -1,
      ...Array(4).fill(Math.fround((Math.fround(128 / 255) - 0.5) / 0.25)),
    ]);
  });
});

describe('preprocessor_config.json', () => {
  it('has defaults of BLIP and survives a round trip', () => {
    expect(blipPreprocessing()).toMatchObject({
      width: 384,
      height: 384,
      filter: 'bicubic',
      rescale: 1 / 255,
    });
    const odd = parsePreprocessing(
      {
        size: { height: 3, width: 5 },
        resample: 2,
        do_rescale: true,
        rescale_factor: 0.01,
        image_mean: [1, 2, 3],
        image_std: [4, 5, 6],
        crop_size: 7,
      },
      'test',
    );
    expect(odd).toEqual({
      width: 5,
      height: 3,
      filter: 'bilinear',
      rescale: 0.01,
      mean: [1, 2, 3],
      std: [4, 5, 6],
    });
    expect(parsePreprocessing(preprocessingToJson(odd), 'test')).toEqual(odd);
  });

  it('honours steps that are switched off', () => {
    const plain = parsePreprocessing(
      { do_resize: false, do_rescale: false, do_normalize: false, size: 2 },
      'test',
    );
    const preprocessor = createPreprocessor(plain);
    const out = new Float32Array(12);
    preprocessor.write(
      { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => i) },
      out,
    );
    expect([...out]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
    expect(() => preprocessor.write(samplePicture(3, 2), out)).toThrow(/3 x 2 pixels .* 2 x 2/);
  });

  const wrong: Record<string, [unknown, RegExp]> = {
    'a size by the shortest edge': [{ size: { shortest_edge: 224 } }, /c\.json: size: must be/],
    'a zero size': [{ size: 0 }, /c\.json: size: must be/],
    'two means': [{ image_mean: [0.5, 0.5] }, /c\.json: image_mean: /],
    'a zero deviation': [{ image_std: [1, 0, 1] }, /c\.json: image_std: must not be zero\./],
    'a filter that Pillow lacks': [{ resample: 6 }, /c\.json: resample: 6 is none of Pillow's/],
    'a centre crop': [{ do_center_crop: true }, /c\.json: do_center_crop: BLIP has no centre crop/],
    padding: [{ do_pad: true }, /c\.json: do_pad: BLIP has no padding/],
    "another model's defaults": [
      { image_processor_type: 'ViTImageProcessor', size: 224, resample: 2, image_std: 0.5 },
      /c\.json: image_mean is missing, and what a ViTImageProcessor then does/,
    ],
    'a list': [[], /c\.json: the file: /],
  };
  for (const [name, [json, message]] of Object.entries(wrong))
    it(`refuses ${name} in one sentence`, () => {
      expect(() => parsePreprocessing(json, 'c.json')).toThrow(message);
      expect(() => parsePreprocessing(json, 'c.json')).toThrow(InputError);
    });

  it('asks for the nearest pixel with resample 0', () => {
    const nearest = parsePreprocessing({ size: 4, resample: 0 }, 'c.json');
    expect(nearest.filter).toBe('nearest');
    expect(parsePreprocessing(preprocessingToJson(nearest), 'again')).toEqual(nearest);
  });
});
