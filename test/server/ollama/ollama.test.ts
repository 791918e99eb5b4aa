/** Ollama's interface, asked by its official client. */
import { Ollama } from 'ollama';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64, json, running } from '../app.ts';

let server: Awaited<ReturnType<typeof running>>;
let client: Ollama;
beforeAll(async () => {
  server = await running();
  client = new Ollama({ host: server.url });
});
afterAll(() => server.close());

const model = 'refcap-small:latest';
/** The client's types leave it open; an answer that has none fails the test. */
const textOf = ({ response }: { readonly response?: string }): string => response ?? 'no text';

describe('generate', () => {
  it('captions pictures, at once and as a stream', async () => {
    const images = [base64('a cat'), base64('a dog')];
    const asked = { model, prompt: 'Describe it.', images, options: { seed: 3 } };
    const whole = await client.generate({ ...asked, stream: false });
    expect(whole).toMatchObject({
      model,
      response: 'a cat of seed 3\na dog of seed 3',
      done: true,
      done_reason: 'stop',
      eval_count: 4,
    });
    expect(whole.total_duration).toBeGreaterThan(1e5);
    const pieces: string[] = [];
    let last: unknown;
    for await (const piece of await client.generate({ ...asked, stream: true })) {
      pieces.push(textOf(piece));
      last = piece;
    }
    expect(pieces.join('')).toBe(whole.response);
    expect(pieces.length).toBeGreaterThan(4);
    expect(last).toMatchObject({ done: true, done_reason: 'stop', eval_count: 4 });
  });

  it('says what it ignored', async () => {
    const images = [base64('a')];
    const options = { temperature: 0, num_ctx: 4096, num_predict: 300, stop: ['x'] };
    const body = {
      model,
      prompt: 'Describe it.',
      images,
      format: 'json',
      keep_alive: '5m',
      options,
    };
    const response = await server.send('/api/generate', json({ ...body, stream: false }));
    expect(response.headers.get('refcap-ignored')).toBe('prompt, format, num_ctx, stop');
    expect(server.captioner.batches.at(-1)?.options).not.toHaveProperty('max_new_tokens');
    const streamed = await server.send('/api/generate', json(body));
    expect(streamed.headers.get('content-type')).toBe('application/x-ndjson');
    await streamed.text();
  });

  it('loads the model where nothing is asked', async () => {
    expect(await client.generate({ model, prompt: '', stream: false })).toMatchObject({
      response: '',
      done: true,
      done_reason: 'load',
    });
    expect(server.service.isReady).toBe(true);
  });

  it('fails as the client expects', async () => {
    const generate = (given: object) =>
      client.generate({ model, prompt: 'x', images: [base64('a')], ...given, stream: false });
    await expect(generate({ model: 'llava' })).rejects.toThrow('model "llava" not found');
    await expect(generate({ images: [] })).rejects.toThrow('There is no picture');
    await expect(generate({ images: [base64('bad')] })).rejects.toThrow('this is no picture');
    const images = [base64('a'), base64('bad')];
    const stream = await client.generate({ model, prompt: 'x', images, stream: true });
    const rest = async () => {
      for await (const _ of stream);
    };
    await expect(rest()).rejects.toThrow('picture 2: this is no picture.');
  });
});

describe('chat', () => {
  it('captions the last picture of a conversation', async () => {
    const messages = [
      { role: 'user', content: 'This?', images: [base64('old')] },
      { role: 'assistant', content: 'An old one.' },
      { role: 'user', content: 'And this?', images: [base64('a cat')] },
      { role: 'user', content: 'Well?' },
    ];
    const { message, done } = await client.chat({ model, messages });
    expect([message, done]).toEqual([{ role: 'assistant', content: 'a cat of seed 0' }, true]);
    let text = '';
    for await (const piece of await client.chat({ model, messages, stream: true }))
      text += piece.message.content;
    expect(text).toBe('a cat of seed 0');
  });
});

describe('what clients look at first', () => {
  it('is there', async () => {
    const { models } = await client.list();
    expect(models).toMatchObject([{ name: model, model, size: 49, details: { family: 'blip' } }]);
    expect(models[0].digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await client.show({ model: 'refcap-small' })).toMatchObject({
      capabilities: ['completion', 'vision'],
    });
    await expect(client.show({ model: 'llava' })).rejects.toThrow('not found');
    expect(await client.version()).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  });
});
