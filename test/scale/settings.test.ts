/** Settings that all who write to an output agree on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderStore } from '../../src/scale/output/folder.ts';
import { agreeOnSettings } from '../../src/scale/settings.ts';
import { newFolder } from '../data/shards/shards.ts';

const settings = {
  refcap: '1.0',
  model: 'a'.repeat(64),
  options: { num_beams: 3, list: [[1, 2]] },
};

describe('the settings of an output', () => {
  it('are the same for all, in whatever order they are given', async () => {
    const store = await folderStore(newFolder());
    const other = { ...settings, options: { list: [[1, 2]], num_beams: 3, prompt: undefined } };
    await Promise.all([settings, other, settings].map((each) => agreeOnSettings(store, each)));
  });

  it.each([
    [
      { ...settings, options: { ...settings.options, num_beams: 1 } },
      'options.num_beams: 3, now 1',
    ],
    [{ ...settings, options: { num_beams: 3 } }, 'options.list: [[1,2]], now none'],
    [{ ...settings, model: 'b'.repeat(64) }, 'model: aaaaaaaaaaaa..., now bbbbbbbbbbbb...'],
    [{ ...settings, refcap: '1.1' }, 'refcap: 1.0, now 1.1'],
  ])('that differ are refused by the first', async (others, sentence) => {
    const folder = newFolder();
    const store = await folderStore(folder);
    await agreeOnSettings(store, settings);
    await expect(agreeOnSettings(store, others)).rejects.toThrow(
      `${folder}: its captions are made with other settings (${sentence}); choose another output, or the same settings.`,
    );
  });

  it('that are damaged are said to be', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, '_SETTINGS.json'), '{"refcap"');
    await expect(agreeOnSettings(await folderStore(folder), settings)).rejects.toThrow(
      /_SETTINGS\.json: not valid JSON/,
    );
  });
});
