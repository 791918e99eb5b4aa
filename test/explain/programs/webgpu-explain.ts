/** Explains a caption on the CPU and on WebGPU by every method that looks into the model, and prints the largest differences. */
import { join } from 'node:path';
import { Captioner } from '../../../src/caption/captioner.ts';
import { explain } from '../../../src/explain/explain.ts';
import { fixtures } from '../../paths.ts';

const tiny = join(fixtures, 'blip/tiny');
const picture = join(tiny, 'images/owl-1.png');
const found = async (device: string): Promise<Record<string, number[]>> => {
  using captioner = await Captioner.load(tiny, { device });
  const results: Record<string, number[]> = {};
  for (const method of ['attention', 'gradient-attention', 'integrated-gradients'] as const) {
    const { words } = await explain(captioner, picture, { method, caption: 'a brown owl stares' });
    results[method] = words.flatMap(({ map }) => [...map]);
    results.dependence = words.map(({ dependence }) => dependence);
  }
  return results;
};

const cpu = await found('cpu');
const gpu = await found('webgpu');
for (const [name, wanted] of Object.entries(cpu)) {
  const difference = Math.max(...wanted.map((value, i) => Math.abs(gpu[name][i] - value)));
  console.log(JSON.stringify({ name, difference, largest: Math.max(...wanted.map(Math.abs)) }));
}
