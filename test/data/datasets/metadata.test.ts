/** Datasets whose captions are in the pictures' metadata. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surveyDataset } from '../../../src/data/datasets/read.ts';
import { withEmbedded } from '../../../src/metadata/embed/embedded.ts';
import { writeCaption } from '../../../src/metadata/xmp/caption.ts';
import { described } from '../../metadata/xmp/layouts.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-metadata-set-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [person] = Object.values(described);
const machine = writeCaption(
  undefined,
  { text: 'a cat', agent: 'refcap 1', model: 'm', when: '2025-01-01T00:00:00Z' },
  'overwrite',
  'a',
);
const withAlt = person.replace(
  '</dc:description>',
  `</dc:description><i:AltTextAccessibility xmlns:i="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"><rdf:Alt><rdf:li xml:lang="x-default">a dog\n sleeps</rdf:li></rdf:Alt></i:AltTextAccessibility>`,
);

beforeAll(async () => {
  const create = { width: 8, height: 8, channels: 3, background: 'red' } as const;
  const plain = await sharp({ create }).jpeg().toBuffer();
  for (const split of ['train', 'val']) mkdirSync(join(folder, split));
  const put = (name: string, packet?: string, beside?: string) => {
    writeFileSync(join(folder, name), withEmbedded(plain, packet, name));
    if (beside !== undefined) writeFileSync(join(folder, `${name}.xmp`), beside);
  };
  put('train/embedded.jpg', person);
  put('train/beside.jpg', undefined, withAlt);
  put('train/machine.jpg', machine);
  put('train/edited.jpg', machine.replaceAll('>a cat</rdf:li>', '>a dog</rdf:li>'));
  put('train/silent.jpg');
  put('val/broken.jpg', undefined, '<broken');
  put('val/other.jpg', person);
});

describe('captions in metadata', () => {
  it('are descriptions and alt texts of people, in splits by folder', async () => {
    const { dataset, withoutCaption } = await surveyDataset(folder, { format: 'xmp' });
    const found = dataset.images.map(({ id, split, captions }) => ({ id, split, captions }));
    expect(found).toEqual([
      { id: 'train/beside.jpg', split: 'train', captions: ['An old dog', 'a dog sleeps'] },
      { id: 'train/edited.jpg', split: 'train', captions: ['a dog'] },
      { id: 'train/embedded.jpg', split: 'train', captions: ['An old dog'] },
      { id: 'val/other.jpg', split: 'dev', captions: ['An old dog'] },
    ]);
    expect(withoutCaption).toEqual(
      expect.arrayContaining(['train/machine.jpg', 'train/silent.jpg', 'val/broken.jpg']),
    );
    expect(dataset.notes).toEqual(
      expect.arrayContaining([
        '1 image that refcap described is left out: nobody changed the words since.',
        expect.stringMatching(
          /^1 image's metadata cannot be read, the first: .*broken\.jpg\.xmp: /,
        ),
      ]),
    );
  });

  it('are missed where there are none, and asked of folders alone', async () => {
    const empty = mkdtempSync(join(folder, 'empty-'));
    await expect(surveyDataset(empty, { format: 'xmp' })).rejects.toThrow(
      /no image has a description of a person in its metadata; leave out --captions xmp/,
    );
    await expect(
      surveyDataset(join(folder, 'train/silent.jpg'), { format: 'xmp' }),
    ).rejects.toThrow(/format xmp is one of folders/);
  });
});
