/** Takes two training steps on the CPU and on WebGPU, and prints their losses and gradient norms. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrainConfig } from '../../../src/train/config/config.ts';
import { trainRun } from '../../../src/train/loop/run.ts';
import { writeTinyPictures, writeTinyTower } from '../tiny.ts';

const folder = await mkdtemp(join(tmpdir(), 'refcap-webgpu-'));
try {
  await writeTinyTower(join(folder, 'tower'));
  await writeTinyPictures(join(folder, 'pictures'));
  for (const device of ['cpu', 'webgpu'])
    await trainRun({
      data: join(folder, 'pictures'),
      start: { tower: join(folder, 'tower') },
      output: join(folder, device),
      config: parseTrainConfig({
        width: 32,
        heads: 4,
        layers: 1,
        minWordCount: 1,
        learningRate: 1e-3,
        maxSteps: 2,
        refinement: { heads: 4, context: 'siblings' },
        alignment: { heads: 4 },
        validationImages: 0,
        samplePictures: 1,
      }),
      device,
      onNote: () => undefined,
      onFeatures: () => undefined,
      onEvent: (event) => {
        if (event.kind === 'step')
          console.log(JSON.stringify({ device, values: [event.loss, event.gradientNorm] }));
        else if (event.kind === 'validation')
          console.log(
            JSON.stringify({ device, values: [event.losses.base, event.losses.refined] }),
          );
      },
    });
} finally {
  await rm(folder, { recursive: true, force: true });
}
