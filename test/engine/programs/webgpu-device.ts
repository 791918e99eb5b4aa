/** Keeps a value on WebGPU over three runs, reads it back and prints it. */
import { input } from '../../../src/engine/graph/graph.ts';
import { mul } from '../../../src/engine/graph/ops.ts';
import { DeviceTensor } from '../../../src/engine/runtime/feeds.ts';
import { readFromDevice } from '../../../src/engine/runtime/read-device.ts';
import { Session } from '../../../src/engine/runtime/session.ts';
import { tensor } from '../../../src/engine/runtime/tensor.ts';

const steps = 3;
const session = await Session.open(
  { next: mul(input('state', 'f32', ['n', 2]), 2) },
  { device: 'webgpu', keepOnDevice: ['next'] },
);
const start = tensor('f32', [2, 2], Float32Array.of(1, 2, 3, 4));
let state: DeviceTensor | undefined;
for (let step = 0; step < steps; step++) {
  const { next } = await session.runOnDevice({ state: state ?? start });
  if (!(next instanceof DeviceTensor)) throw new Error('the output left the device');
  state?.[Symbol.dispose]();
  state = next;
}
if (!state) throw new Error('no step was made');
const { copy } = await readFromDevice('webgpu', { copy: state });
const line = { shape: state.shape, dtype: state.dtype, steps, values: [...copy.data].map(Number) };
process.stdout.write(`${JSON.stringify(line)}\n`);
state[Symbol.dispose]();
session.dispose();
using plain = await Session.open(
  { next: mul(input('state', 'f32', ['n', 2]), 2) },
  { device: 'webgpu' },
);
const target = tensor('f32', [2, 2]);
await plain.run({ state: start }, { next: target });
process.stdout.write(`${JSON.stringify({ into: [...target.data] })}\n`);
