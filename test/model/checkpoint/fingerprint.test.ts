/** A model's fingerprint: the same wherever and however its weights lie, another of other weights. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { modelFingerprint } from '../../../src/model/checkpoint/fingerprint.ts';
import { tiny, writeRichModel } from '../../caption/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'refcap-fingerprint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the fingerprint of a model', () => {
  it('does not depend on where the model lies', async () => {
    cpSync(tiny, join(folder, 'copy'), { recursive: true });
    expect(await modelFingerprint(join(folder, 'copy'))).toBe(await modelFingerprint(tiny));
  });

  it('is of the members that write', async () => {
    const rich = join(folder, 'rich');
    await writeRichModel(rich);
    const [one, both] = [
      await modelFingerprint(rich, { members: 1 }),
      await modelFingerprint(rich, { members: 2 }),
    ];
    expect(both).not.toBe(one);
    expect(await modelFingerprint(rich)).toBe(both);
  });
});
