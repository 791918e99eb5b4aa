/** Charts as pictures of their own. */
import { SaxesParser } from 'saxes';
import { expect, it } from 'vitest';
import { chartPicture } from '../../src/pages/chart-picture.ts';

const chart = {
  ...{ id: 'loss', title: 'Loss <a> & b', note: 'Nats.', names: ['x & y', 'absent'] },
  readings: [1, 2, 3].map((step) => ({ step, values: { 'x & y': 4 - step } })),
};

it('are whole XML documents, with a legend of what is drawn', () => {
  const picture = chartPicture(chart);
  const texts: string[] = [];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('text', (text) => texts.push(text));
  parser.on('error', (error) => {
    throw error;
  });
  parser.write(picture?.svg ?? '').close();
  expect(texts).toContain('Loss <a> & b');
  expect(texts).toContain('x & y');
  expect(texts).not.toContain('absent');
  expect(picture?.description).toBe(
    'Loss <a> & b. x & y: from 3.000 at step 1 to 1.000 at step 3.',
  );
});

it('are none where there are no figures', () => {
  expect(chartPicture({ ...chart, names: ['absent'] })).toBeUndefined();
});
