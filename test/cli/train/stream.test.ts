/** `refcap train --stream` as a person runs it: from a store, killed at any moment, with pictures that are damaged. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../../src/base/random.ts';
import { packDataset } from '../../../src/data/pack/pack.ts';
import { type FakeStore, startStore } from '../../data/shards/store/s3-server.ts';
import { tinyRuns } from '../../train/tiny-runs.ts';
import { main } from '../refcap.ts';

const { at, train } = tinyRuns();
let store: FakeStore;
let common: string[] = [];

beforeAll(async () => {
  store = await startStore(true);
  await train('base', { epochs: 1, refinement: null, alignment: null });
  await packDataset(at('pictures'), at('shards'), { format: 'webdataset', shardBytes: 500 });
  const names = readdirSync(at('shards'));
  for (const name of names)
    store.objects.set(`set/${name}`, readFileSync(join(at('shards'), name)));
  const shards = names.filter((name) => name.endsWith('.tar') && !name.startsWith('test'));
  const list = shards.map((name) => name.replace('.tar', '')).join(',');
  common = [
    ...['train', '--data', `${store.url}/set/{${list}}.tar`, '--model', 'base/last'],
    ...['--preset', 'plain', '--stream', '--set', 'stream.buffer=3', '--batch-size', '2'],
    ...['--epochs', '6', '--threads', '1', '--checkpoint-every', '2', '--set', 'logEvery=1'],
  ];
});
afterAll(() => store.close());

function refcap(args: readonly string[], until?: () => boolean) {
  const env = { ...process.env, REFCAP_CACHE: at('copies') };
  const child = spawn(process.execPath, [main, ...common, ...args], { cwd: at(), env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      said += part;
    });
  const watch = setInterval(() => until?.() && child.kill('SIGKILL'), 2);
  return new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => {
      clearInterval(watch);
      resolve({ code, said });
    }),
  );
}

const steps = (run: string) => {
  const path = at(run, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"kind":"step"').length - 1 : 0;
};
const weights = (run: string) => readFileSync(at(run, 'last', 'model.safetensors'));

describe('refcap train --stream', () => {
  it('trains from a store, and after kills goes on to the very bits of a calm run', async () => {
    const calm = await refcap(['-o', 'calm', '--cache', 'calm-features']);
    expect(calm.said).toMatch(/train shards, 8 images an epoch, and 2 dev images to measure/);
    expect(calm.said).toContain('epoch 6 of 6');
    // Two dev pictures are too few to calibrate on; the train shards are not looked at for more.
    expect(calm.said).toContain('2 pictures are too few to calibrate a confidence on');
    expect(calm.code).toBe(0);
    expect(store.asked).toContain('GET set/manifest.json');
    const random = createRandom(2);
    for (let i = 0; i < 3; i++) {
      const before = steps('hurt');
      const after = 1 + random.integer(5);
      await refcap(['-o', 'hurt', '--resume'], () => steps('hurt') >= before + after);
    }
    const ended = await refcap(['-o', 'hurt', '--resume']);
    expect(ended.said).toMatch(/going on after step \d+/);
    expect(ended.code).toBe(0);
    expect(weights('hurt')).toEqual(weights('calm'));
    expect(steps('hurt')).toBe(steps('calm'));
  });

  it('is planned from the same shards, and leaves nothing', async () => {
    const before = readdirSync(at());
    const { said, code } = await refcap(['-o', 'planned', '--plan', '--views', '2']);
    expect(said).toMatch(
      /images +8 an epoch, of \d shards, with 16 captions, 2 of dev\nsteps +24, 4 an epoch, of 2 images; /,
    );
    expect(said).toMatch(/features +18 images and views; /);
    expect(said).toMatch(/features of [\d.]+ MB \([\d.]+ MB a shard\)/);
    expect(said).toMatch(/1 Gbit\/s .* -\n/);
    expect(said).toContain('\n-: fewer shards than machines, or fewer pictures than a step');
    expect(code).toBe(0);
    expect(readdirSync(at())).toEqual(before);
  });

  it('says of what it cannot do, and where to go', async () => {
    const wrong: [string[], number, RegExp][] = [
      [['--stage', 'scst'], 2, /stream reads pictures as they come, but stage scst rewards/],
      [['--batch-size', '9'], 1, /batchSize \(9\): a step takes 9 pictures, but an epoch has 8/],
      [['--set', 'stream.bufer=3'], 2, /stream: there is no setting bufer/],
    ];
    for (const [args, code, sentence] of wrong) {
      const found = await refcap(['-o', 'wrong', ...args]);
      expect(found.said).toMatch(sentence);
      expect(found.said).not.toMatch(/\n\s+at /);
      expect([args, found.code]).toEqual([args, code]);
    }
  });
});
