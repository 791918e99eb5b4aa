/** What a run takes from the model that it starts from. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../../src/train/loop/trainer.ts';
import { tinyRuns } from '../tiny-runs.ts';

const { at, train } = tinyRuns();

describe("a model's generation config", () => {
  const config = (run: string) => at(run, 'best/generation_config.json');
  const measured = (events: readonly TrainingEvent[]) =>
    events.map((event) =>
      event.kind === 'step'
        ? [event.loss, event.terms]
        : event.kind === 'validation' && [event.metrics, event.samples, event.losses],
    );

  it('moves no number of a run that starts from it', async () => {
    await train('plain', { epochs: 12, learningRate: 0.01, savedBeams: 1 });
    await cp(at('plain'), at('busy'), { recursive: true });
    const saved = JSON.parse(await readFile(config('plain'), 'utf8'));
    expect(saved.suppress_tokens).toHaveLength(1);
    const busy = {
      num_beams: 3,
      do_sample: true,
      repetition_penalty: 1.9,
      no_repeat_ngram_size: 1,
      min_length: 9,
      length_penalty: 3,
      num_return_sequences: 2,
      max_new_tokens: 3,
    };
    await writeFile(config('busy'), JSON.stringify({ ...saved, ...busy }));
    const critical = { stage: 'scst', scst: { samples: 2, baseline: 'greedy' } };
    for (const [i, settings] of [{}, { validationBeams: 2 }, critical].entries()) {
      const [plain, other] = await Promise.all(
        ['plain', 'busy'].map((name) =>
          train(`from-${name}-${i}`, settings, { start: { model: at(name, 'best') } }),
        ),
      );
      expect(measured(other)).toEqual(measured(plain));
    }
    // What it says of words stays with the model; lengths and beams are those of the run.
    const after = JSON.parse(await readFile(config('from-busy-0'), 'utf8'));
    expect(after).toMatchObject({
      suppress_tokens: saved.suppress_tokens,
      repetition_penalty: 1.9,
      max_length: saved.max_length,
      num_beams: 3,
    });
    expect(after).not.toHaveProperty('max_new_tokens');
  });
});
