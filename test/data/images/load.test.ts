/** Which file's preprocessing holds, and the errors of both layouts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderTexts } from '../../../src/base/files.ts';
import { findPreprocessing } from '../../../src/data/images/load.ts';

describe('findPreprocessing', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refcap-preprocess-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const write = (name: string, json: unknown) =>
    writeFile(join(folder, name), JSON.stringify(json));

  it("lets processor_config.json's image_processor win, as transformers 5 does", async () => {
    expect(await findPreprocessing(folderTexts(folder))).toBeUndefined();
    await write('preprocessor_config.json', { size: 8 });
    expect((await findPreprocessing(folderTexts(folder)))?.preprocessing.width).toBe(8);
    await write('processor_config.json', { processor_class: 'BlipProcessor' });
    expect((await findPreprocessing(folderTexts(folder)))?.preprocessing.width).toBe(8);
    await write('processor_config.json', { image_processor: { size: 16, resample: 0 } });
    const found = await findPreprocessing(folderTexts(folder));
    expect(found?.preprocessing).toMatchObject({ width: 16, filter: 'nearest' });
    await rm(join(folder, 'preprocessor_config.json'));
    expect(await findPreprocessing(folderTexts(folder))).toEqual(found);
  });

  it('names file and field of what is wrong', async () => {
    await write('processor_config.json', { image_processor: { do_center_crop: true } });
    await expect(findPreprocessing(folderTexts(folder))).rejects.toThrow(
      /processor_config\.json: image_processor: do_center_crop: BLIP has no centre crop\.$/,
    );
    await write('processor_config.json', { image_processor: 3 });
    await expect(findPreprocessing(folderTexts(folder))).rejects.toThrow(
      /processor_config\.json: image_processor: not an object/,
    );
  });
});
