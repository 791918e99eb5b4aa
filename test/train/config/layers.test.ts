/** What the settings of the training-only layers leave to the decoder. */
import { describe, expect, it } from 'vitest';
import { tinyRuns } from '../tiny-runs.ts';

const { train, json } = tinyRuns();

describe('heads of the training-only layers', () => {
  it("are the decoder's where eight do not divide its width, and it says so", async () => {
    const notes: string[] = [];
    const settings = {
      epochs: 1,
      width: 36,
      heads: 6,
      refinement: { context: 'siblings' },
      alignment: {},
    };
    await train('six', settings, { onNote: (note) => notes.push(note) });
    expect(notes).toContain(
      'refinement.heads is 6, as in the decoder, whose width of 36 8 does not divide',
    );
    const { train: saved } = await json('six/config.json');
    expect(saved).toMatchObject({ refinement: { heads: 6 }, alignment: { heads: 6 } });
    await train('six', settings, { resume: true });
  });

  it('are eight where they fit, as in runs of before', async () => {
    await train('eight', { epochs: 1, refinement: {} });
    const { train: saved } = await json('eight/config.json');
    expect(saved).toMatchObject({ refinement: { heads: 8 } });
    await train('eight', { epochs: 1, refinement: { heads: 8 } }, { resume: true });
  });
});
