/** The interfaces of PhotoPrism's vision service and of Hugging Face's image-to-text. */
import { InferenceClient } from '@huggingface/inference';
import { describe, expect, it } from 'vitest';
import { imageToTextAnswerSchema } from '../../src/server/hugging-face.ts';
import { visionAnswerSchema } from '../../src/server/photoprism.ts';
import { base64, json, running, testServer } from './app.ts';

describe('POST /api/v1/vision/caption', () => {
  it('answers as PhotoPrism reads it', async () => {
    const { send } = testServer({ token: 'secret' });
    // The fields that PhotoPrism's own client sends.
    const images = [`data:image/jpeg;base64,${base64('a cat')}`];
    const body = {
      id: 'b4f1',
      model: 'caption',
      suffix: '',
      stream: false,
      images,
      prompt: 'Say!',
    };
    const response = await send(
      '/api/v1/vision/caption',
      json(body, { authorization: 'Bearer secret' }),
    );
    const answer = visionAnswerSchema.strict().parse(await response.json());
    expect(answer).toMatchObject({
      id: 'b4f1',
      code: 200,
      model: { type: 'caption', name: 'refcap-small', resolution: 224 },
      result: { caption: { text: 'a cat of seed 0', source: 'image' } },
    });
    expect(answer.result.caption.confidence).toBeCloseTo(Math.exp(-0.5), 12);
    expect(response.headers.get('refcap-ignored')).toBe('prompt');
  });

  it('tells errors in its own form', async () => {
    const { send } = testServer();
    for (const [body, code, message] of [
      [{ images: [base64('bad')] }, 422, /this is no picture/],
      [{ url: 'http://127.0.0.1/a.jpg' }, 403, /--allow-url/],
      [{}, 400, /no picture/],
    ] as const) {
      const response = await send('/api/v1/vision/caption', json(body));
      expect(response.status).toBe(code);
      expect(await response.json()).toMatchObject({ code, error: expect.stringMatching(message) });
    }
  });
});

describe('image-to-text', () => {
  const bytes = (text: string): RequestInit => ({
    method: 'POST',
    body: text,
    headers: { 'content-type': 'image/jpeg' },
  });

  it('takes bytes and JSON', async () => {
    const { send, captioner } = testServer();
    const text = async (path: string, init: RequestInit) => {
      const response = await send(path, init);
      expect(response.status).toBe(200);
      return imageToTextAnswerSchema.parse(await response.json());
    };
    const expected = [{ generated_text: 'a cat of seed 0' }];
    for (const path of ['/', '/models/refcap-small', '/models/owner/refcap-small'].slice(0, 2))
      expect(await text(path, bytes('a cat'))).toEqual(expected);
    const parameters = {
      max_new_tokens: 9,
      generation_parameters: { num_beams: 3, do_sample: false, max_length: 0 },
    };
    expect(await text('/', json({ inputs: base64('a cat'), parameters }))).toEqual(expected);
    expect(captioner.batches.at(-1)?.options).toMatchObject({ num_beams: 3, max_new_tokens: 9 });
    expect(captioner.batches.at(-1)?.options).not.toHaveProperty('max_length');
  });

  it('answers its official client', async () => {
    const { url, close } = await running({ token: 'secret' });
    const client = new InferenceClient('secret');
    for (const [path, data] of [
      ['/models/refcap-small', new Blob(['a cat'], { type: 'image/jpeg' })],
      ['/', new Blob(['a cat'])],
    ] as const)
      expect(await client.imageToText({ data, endpointUrl: url + path })).toEqual({
        generated_text: 'a cat of seed 0',
      });
    const bad = client.imageToText({ data: new Blob(['bad']), endpointUrl: url });
    await expect(bad).rejects.toThrow('this is no picture');
    await close();
  });

  it('knows a hub id by its last part', async () => {
    const model = { name: 'owner/blip', size: 1, modified: new Date(), imageSize: 1, endId: 102 };
    const { send } = testServer({ model });
    for (const [path, status] of [
      ['/models/owner/blip', 200],
      ['/models/blip', 200],
      ['/models/other/blip', 404],
    ] as const)
      expect((await send(path, bytes('a'))).status).toBe(status);
  });

  it('tells errors in its own form', async () => {
    const { send } = testServer();
    for (const path of ['/', '/models/refcap-small'])
      expect(await (await send(path, bytes('bad'))).json()).toEqual({
        error: 'picture 1: this is no picture.',
      });
  });
});
