/** Curves of a run in a cell. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { showCurves } from '../../src/notebook/curves.ts';
import type { TrainingEvent } from '../../src/train/loop/trainer.ts';

function step(at: number, base: number, refined: number): TrainingEvent {
  return {
    kind: 'step',
    ...{ step: at, totalSteps: 3, epoch: at, loss: base + refined, terms: { base, refined } },
    ...{ gradientNorm: 1, learningRate: 1e-3, imagesPerSecond: 10, waiting: 0 },
  };
}

const validation: TrainingEvent = {
  kind: 'validation',
  ...{
    step: 3,
    epoch: 3,
    best: true,
    seconds: 1,
    losses: { base: 2.5 },
    samples: [],
    captioning: { images: 0, seconds: 0 },
  },
};

/** The pictures of the HTML. */
function pictures(html: string): string[] {
  return [...html.matchAll(/data:image\/svg\+xml;base64,([\w+/=]+)/g)].map(([, data]) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
}

describe('the curves of a run', () => {
  const events = [step(1, 4, 5), step(2, 3, 3), step(3, 2, 1)];

  it('are a line for each loss of training, told in words too', () => {
    const { html, text } = showCurves(events);
    const [svg, ...others] = pictures(html);
    expect(others).toEqual([]);
    expect(svg.match(/<path class="line" d="M[\d.]+ [\d.]+L/g)).toHaveLength(3);
    expect(text).toBe(
      'Training loss. total: from 9.000 at step 1 to 3.000 at step 3; base: from 4.000 at step 1 to 2.000 at step 3; refined: from 5.000 at step 1 to 1.000 at step 3.',
    );
    expect(html).toContain('alt="Training loss. total: from 9.000');
  });

  it('have those of the dev split beside them', async () => {
    const { html, text } = showCurves([...events, validation]);
    expect(text).toContain('Validation loss. base: 2.500 at step 3.');
    for (const svg of pictures(html)) {
      const { data, info } = await sharp(Buffer.from(svg))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(info.width).toBe(400);
      // Blue is the first name's line, and all around it is white.
      const at = (i: number) => [...data.subarray(i * info.channels, i * info.channels + 3)];
      const pixels = Array.from({ length: info.width * info.height }, (_, i) => at(i).join());
      expect(pixels[0]).toBe('255,255,255');
      expect(pixels.filter((pixel) => pixel === '11,98,164').length).toBeGreaterThan(10);
    }
    expect(pictures(html)).toHaveLength(2);
  });

  it('are a sentence before the first step', () => {
    expect(showCurves([]).text).toBe('No step is told yet.');
  });
});
