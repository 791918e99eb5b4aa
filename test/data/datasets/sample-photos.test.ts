/** The sample photos: each with its source and licence, and as an example dataset that nothing trains on. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataset } from '../../../src/data/datasets/read.ts';
import { parseSources, samplePhotos } from '../../../src/data/datasets/sample-photos.ts';
import { repositoryRoot } from '../../paths.ts';

const folder = join(repositoryRoot, 'samples');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.jpg'))
  .sort();

describe('the sample photos', () => {
  it('all have a source, a free licence and a description', async () => {
    const photos = await samplePhotos();
    expect(photos.map(({ file }) => file)).toEqual(files);
    for (const { source, licence, description } of photos) {
      expect(source).toMatch(/^(?:scikit-image|google-coral)/);
      expect(licence).toMatch(/public domain|CC0|Apache-2\.0/);
      expect(description).toMatch(/^an? |^people |^two /);
    }
  });

  it('are a dataset with a few captions each, all in the test split', async () => {
    const { images, missing } = await readDataset(folder);
    expect(images.map(({ id }) => id).sort()).toEqual(files);
    for (const { split, captions } of images) {
      expect(split).toBe('test');
      expect(captions.length).toBeGreaterThanOrEqual(2);
      expect(new Set(captions).size).toBe(captions.length);
    }
    expect(missing).toEqual({ train: 0, dev: 0, test: 0 });
  });

  it('take their sources from the rows of a table', () => {
    const table = '| file | from |\n|---|---|\n| a.jpg | here `x` (me) | CC0 |\nb.jpg\n| c.jpg | |';
    expect([...parseSources(table)]).toEqual([
      ['a.jpg', { source: 'here x (me)', licence: 'CC0' }],
    ]);
  });
});
