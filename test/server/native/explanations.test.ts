/** POST /v1/explanations: pictures and captions in, maps out, with the manners of captions. */
import { describe, expect, it } from 'vitest';
import { errorAnswerSchema, explanationAnswerSchema } from '../../../src/server/native/schema.ts';
import { base64, json, testServer } from '../app.ts';

async function results(response: Response) {
  expect(response.status).toBe(200);
  return explanationAnswerSchema.strict().parse(await response.json()).results;
}

async function failure(response: Response): Promise<[number, string]> {
  const { error } = errorAnswerSchema.strict().parse(await response.json());
  return [response.status, error.message];
}

const path = '/v1/explanations';

describe('POST /v1/explanations', () => {
  it('gives a map for each word of a caption, as it is written or given', async () => {
    const { send, explainer } = testServer();
    const [one] = await results(await send(path, json({ image: base64('a cat') })));
    expect(one).toMatchObject({
      ...{ name: 'picture 1', caption: 'a cat', method: 'gradient-attention', side: 2, width: 5 },
      words: [
        {
          text: 'a',
          dependence: 0,
          place: 'upper left',
          map: [
            [1, 0],
            [0, 0],
          ],
        },
        {
          text: 'cat',
          dependence: 1,
          map: [
            [0, 1],
            [0, 0],
          ],
        },
      ],
    });
    const body = new FormData();
    body.append('image', new Blob(['picture']), 'dog.jpg');
    body.append('caption', '7 dogs');
    body.append('method', 'rise');
    body.append('seed', '3');
    const [other] = await results(await send(path, { method: 'POST', body }));
    expect(other).toMatchObject({ name: 'dog.jpg', caption: '7 dogs', method: 'rise' });
    const several = json({ images: [base64('a'), base64('bad'), base64('c')], beams: 2, seed: 3 });
    expect(await results(await send(path, several))).toMatchObject([
      { caption: 'a' },
      { error: { code: 422, message: 'picture 2: this is no picture.' } },
      { caption: 'c' },
    ]);
    expect(explainer.asked).toEqual([
      { generation: { num_beams: 1 } },
      { caption: '7 dogs', method: 'rise', seed: 3 },
      { seed: 3, generation: { num_beams: 2, seed: 3 } },
      { seed: 3, generation: { num_beams: 2, seed: 3 } },
    ]);
  });

  it.each<[string, RequestInit, number, RegExp]>([
    ['no picture', json({ caption: 'a' }), 400, /^There is no picture/],
    ['another method', json({ image: 'QQ==', method: 'guess' }), 400, /^method: .*"rise"/],
    [
      'an unknown option',
      json({ image: 'QQ==', words: true }),
      400,
      /no option words; known: .*method/,
    ],
    ['one caption of two', json({ images: ['QQ==', 'QQ=='], caption: 'a' }), 400, /there are 2/],
    [
      'idle options',
      json({ image: 'QQ==', caption: 'a', beams: 2 }),
      400,
      /^beams: no caption is written/,
    ],
    ['other words', json({ image: 'QQ==', caption: 'zyx' }), 400, /lacks 'zyx'/],
    ['options that do not fit', json({ image: 'QQ==', beams: 13 }), 400, /bad luck/],
    ['no bitmap', json({ image: base64('bad') }), 422, /^picture 1: this is no picture/],
  ])('refuses %s in a sentence, and has its room again', async (_, init, status, message) => {
    const { send, log, service } = testServer();
    expect(await failure(await send(path, init))).toEqual([status, expect.stringMatching(message)]);
    expect(log.map((entry) => entry.status)).toEqual([status]);
    for (let i = 0; i < 16; i++) service.enter();
  });

  it('takes turns with captions, and no more at a time than there are workers', async () => {
    const { send, captioner, explainer, metrics } = testServer({}, {}, 2);
    captioner.delay = 2;
    explainer.delay = 5;
    const asked = Array.from({ length: 12 }, (_, i) =>
      send(i % 2 ? path : '/v1/captions', json({ image: base64(`no ${i}`), beams: 1 + (i % 3) })),
    );
    for (const answer of asked) expect((await answer).status).toBe(200);
    expect(captioner.mostRunning).toBe(2);
    const told = await metrics.registry.metrics();
    expect(told).toMatch(/^refcap_explanations_total 6$/m);
    expect(told).toMatch(/^refcap_captions_total 6$/m);
    expect(told).toMatch(/^refcap_queue_pictures 0$/m);
  });

  it('stops when its client goes away, and refuses what has no room', async () => {
    const { send, explainer, log, service } = testServer({}, { queue: 2 });
    explainer.delay = 60_000;
    const leave = new AbortController();
    const lost = send(path, { ...json({ image: base64('a') }), signal: leave.signal });
    await expect.poll(() => explainer.asked.length).toBe(1);
    using _ = service.enter();
    using __ = service.enter();
    const full = await send(path, json({ image: base64('a') }));
    expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await failure(full))[0]).toBe(503);
    leave.abort();
    expect((await lost).status).toBe(499);
    expect(explainer.stopped).toBe(1);
    expect(log.map(({ status }) => status)).toEqual([503, 499]);
  });
});
