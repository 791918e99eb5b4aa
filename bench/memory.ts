/**
 * What a command that captions one picture takes of memory, beside its weights and what its values take at one time: a
 * model of BLIP-base's sizes in f32, rounded at the start, and rounded beforehand. Each is a process of its own.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { peakBytes } from '../src/engine/graph/memory.ts';
import { encoderGraph } from '../src/model/blip.ts';
import { modelParameters } from '../src/model/checkpoint/weights.ts';
import type { BlipConfig } from '../src/model/config.ts';
import { Scope } from '../src/nn/scope.ts';
import { elementCount } from '../src/weights/weight.ts';
import { baseSizedConfig, baseSizedModel } from './base-sized-model.ts';
import { machine, median, printTable } from './measure.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'dist/cli/main.js');

/** `npm run bench -- memory [--runs 3] [--picture samples/astronaut.jpg]` */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '3' },
      picture: { type: 'string', default: join(root, 'samples/astronaut.jpg') },
    },
  });
  console.log(machine());
  const folder = await baseSizedModel();
  const rounded = roundedModel(folder);
  const ways: Readonly<Record<string, readonly string[]>> = {
    f32: ['--model', folder],
    'int8, rounded at the start': ['--model', folder, '--quantize', 'int8'],
    'int8, rounded beforehand': ['--model', rounded, '--quantize', 'int8'],
  };
  const { weights, activations } = needs(baseSizedConfig);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  console.log(`weights in f32 ${mib(weights)} MiB, values of one picture ${mib(activations)} MiB`);
  const rows = Object.entries(ways).map(([name, options]) => {
    const peaks = Array.from({ length: Number(values.runs) }, () =>
      peakOf(options, values.picture),
    );
    const peak = median(peaks);
    return [name, mib(peak), (peak / (weights + activations)).toFixed(2)];
  });
  printTable(['`refcap caption`', 'peak, MiB', 'of f32 weights and values'], rows);
  return 0;
}

/** Bytes of all weights as f32, and of the values of the encoder, the larger graph, at one time. */
function needs(config: BlipConfig): { weights: number; activations: number } {
  const outputs = Object.values(encoderGraph(new Scope(), config));
  return {
    weights: modelParameters(config).reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0),
    activations: peakBytes(outputs, new Map([['images', 1]])),
  };
}

function roundedModel(folder: string): string {
  const rounded = `${folder}-int8`;
  if (!existsSync(join(rounded, 'config.json')))
    execFileSync(process.execPath, [command, 'convert', folder, rounded, '--quantize', 'int8']);
  return rounded;
}

/** The command's largest resident set, in bytes. */
function peakOf(options: readonly string[], picture: string): number {
  const told = `process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS))`;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      `--import=data:text/javascript,${encodeURIComponent(told)}`,
      ...[command, 'caption', picture, '--quiet', ...options],
    ],
    { cwd: root, encoding: 'utf8' },
  );
  const peak = /peak (\d+)/.exec(stderr);
  if (status !== 0 || !peak) throw new Error(`refcap caption ended with ${status}: ${stderr}`);
  return Number(peak[1]) * 1024;
}
