/** A tiny vision tower and a handful of made-up pictures with captions, for tests of training. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../src/base/random.ts';
import { writeSafetensors } from '../../src/weights/safetensors/write.ts';
import { fromFloat32 } from '../../src/weights/weight.ts';

const layers = [
  { name: 'stem', kernel: 3, stride: 2, groups: 1, shape: [8, 3, 3, 3], pads: [0, 0, 1, 1] },
  {
    name: 'blocks.0.depthwise',
    kernel: 3,
    stride: 2,
    groups: 8,
    shape: [8, 1, 3, 3],
    pads: [0, 0, 1, 1],
  },
  {
    name: 'blocks.0.project',
    kernel: 1,
    stride: 1,
    groups: 1,
    shape: [8, 8, 1, 1],
    pads: [0, 0, 0, 0],
  },
  { name: 'head', kernel: 1, stride: 1, groups: 1, shape: [24, 8, 1, 1], pads: [0, 0, 0, 0] },
];

/** Writes an EfficientNet-Lite of four random layers: 32 px, 64 tokens of width 24. */
export async function writeTinyTower(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = createRandom(5);
  const weights = new Map();
  for (const { name, shape } of layers) {
    const size = shape.reduce((a, b) => a * b, 1);
    const fanIn = size / shape[0];
    const values = Float32Array.from(
      { length: size },
      () => random.normal() * Math.sqrt(2 / fanIn),
    );
    weights.set(`${name}.weight`, fromFloat32(values, shape));
    weights.set(`${name}.bias`, fromFloat32(new Float32Array(shape[0]).fill(0.1), [shape[0]]));
  }
  await writeSafetensors(join(folder, 'model.safetensors'), weights);
  const list = layers.map(({ shape: _, ...layer }) => ({ ...layer, activation: 'relu6' }));
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ image_size: 32, width: 24, layers: list }),
  );
}

const colours = { red: '#e02020', green: '#20c030', blue: '#2040e0', yellow: '#e8d020' } as const;
const shapes = {
  square: '<rect x="14" y="14" width="36" height="36"/>',
  circle: '<circle cx="32" cy="32" r="20"/>',
} as const;

/** Writes eight pictures, a coloured shape each, with two captions; one picture more for dev. */
export async function writeTinyPictures(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const rows = ['file,caption,split'];
  for (const [colour, fill] of Object.entries(colours))
    for (const [shape, body] of Object.entries(shapes)) {
      const name = `${colour}-${shape}.png`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#ddd"/><g fill="${fill}">${body}</g></svg>`;
      await writeFile(join(folder, name), await sharp(Buffer.from(svg)).png().toBuffer());
      rows.push(`${name},a ${colour} ${shape} .,train`, `${name},the ${shape} is ${colour},train`);
      if (colour === 'red') {
        await writeFile(
          join(folder, `dev-${name}`),
          await sharp(Buffer.from(svg)).png().toBuffer(),
        );
        rows.push(`dev-${name},a ${colour} ${shape},dev`);
      }
    }
  await writeFile(join(folder, 'captions.csv'), `${rows.join('\n')}\n`);
}
