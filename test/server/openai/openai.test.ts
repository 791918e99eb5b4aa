/** OpenAI's interface, asked by its official client. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorAnswerSchema } from '../../../src/server/native/schema.ts';
import { chatAnswerSchema } from '../../../src/server/openai/schema.ts';
import { base64, json, running } from '../app.ts';

let server: Awaited<ReturnType<typeof running>>;
let client: OpenAI;
beforeAll(async () => {
  server = await running({ token: 'secret' });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'secret', maxRetries: 0 });
});
afterAll(() => server.close());

const picture = (text: string) => ({
  type: 'image_url' as const,
  image_url: { url: `data:image/jpeg;base64,${base64(text)}` },
});
const asking = (...texts: string[]) => [
  {
    role: 'user' as const,
    content: [{ type: 'text' as const, text: 'Describe it.' }, ...texts.map(picture)],
  },
];
const input = (text: string) => [
  {
    role: 'user' as const,
    content: [
      { type: 'input_text' as const, text: 'Describe it.' },
      {
        type: 'input_image' as const,
        image_url: `data:image/png;base64,${base64(text)}`,
        detail: 'auto' as const,
      },
    ],
  },
];

describe('the models', () => {
  it('are listed', async () => {
    const models = [];
    for await (const { id } of client.models.list()) models.push(id);
    expect(models).toEqual(['refcap-small']);
  });
});

describe('chat completions', () => {
  it('caption the picture, and say that the prompt was ignored', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'refcap-small', messages: asking('a cat') })
      .withResponse();
    expect(data.choices).toEqual([
      {
        index: 0,
        message: { role: 'assistant', content: 'a cat of seed 0', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
    expect(data.usage).toMatchObject({ completion_tokens: 2, total_tokens: 3 });
    expect(response.headers.get('refcap-ignored')).toBe('prompt');
    chatAnswerSchema.strict().parse(data);
  });

  it('stream it', async () => {
    const stream = await client.chat.completions.create({
      model: 'refcap-small',
      messages: asking('a cat', 'a dog'),
      stream: true,
      n: 2,
      stream_options: { include_usage: true },
    });
    const texts = ['', ''];
    const reasons: (string | null)[] = [];
    let deltas = 0;
    let tokens: number | undefined;
    for await (const { choices, usage } of stream) {
      for (const { index, delta, finish_reason: reason } of choices) {
        texts[index] += delta.content ?? '';
        if (delta.content) deltas += 1;
        if (reason) reasons.push(reason);
      }
      tokens ??= usage?.completion_tokens;
    }
    const both = 'a cat of seed 0\na dog of seed 0';
    expect([texts, reasons, tokens]).toEqual([[both, both], ['stop', 'stop'], 8]);
    expect(deltas).toBeGreaterThan(6);
  });

  it('take the last pictures of a conversation, and several captions', async () => {
    const { choices } = await client.chat.completions.create({
      model: 'refcap-small',
      messages: [
        ...asking('old'),
        { role: 'assistant', content: 'an old one' },
        ...asking('a cat', 'a dog'),
        { role: 'user', content: 'And now?' },
      ],
      n: 2,
    });
    expect(choices.map(({ message }) => message.content)).toEqual(
      Array(2).fill('a cat of seed 0\na dog of seed 0'),
    );
  });

  it('draw by chance where a temperature is asked for, and end early', async () => {
    const { captioner } = server;
    const ask = async (options: object) => {
      await client.chat.completions.create({
        model: 'refcap-small',
        messages: asking('a'),
        ...options,
      });
      const { do_sample, temperature, top_p, max_new_tokens } =
        captioner.batches.at(-1)?.options ?? {};
      return { do_sample, temperature, top_p, max_new_tokens };
    };
    expect(await ask({ temperature: 0.7, top_p: 0.9, seed: 4, max_tokens: 10 })).toEqual({
      do_sample: true,
      temperature: 0.7,
      top_p: 0.9,
      max_new_tokens: 10,
    });
    for (const calm of [
      { temperature: 0, top_p: 0.5 },
      { temperature: 1e-300 },
      { top_p: 1, max_tokens: 300 },
      {},
    ])
      expect(await ask(calm)).toEqual({});
  });

  it('say what was ignored besides', async () => {
    const { response } = await client.chat.completions
      .create({
        model: 'refcap-small',
        messages: [{ role: 'user', content: [picture('a')] }],
        response_format: { type: 'json_object' },
        stop: ['x'],
      })
      .withResponse();
    expect(response.headers.get('refcap-ignored')).toBe('response_format, stop');
  });

  it('fail as the client expects', async () => {
    const create = (given: object) =>
      client.chat.completions.create({ model: 'refcap-small', messages: asking('a'), ...given });
    await expect(create({ model: 'gpt-4o' })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(create({ model: 'gpt-4o' })).rejects.toThrow('this server has refcap-small');
    await expect(create({ messages: asking() })).rejects.toThrow('There is no picture');
    await expect(create({ messages: asking('bad') })).rejects.toThrow(
      OpenAI.UnprocessableEntityError,
    );
    await expect(create({ messages: asking('bad'), stream: true })).rejects.toThrow(
      'picture 1: this is no picture.',
    );
    const url = { type: 'image_url', image_url: { url: 'http://127.0.0.1:1/a.png' } };
    await expect(create({ messages: [{ role: 'user', content: [url] }] })).rejects.toThrow(
      OpenAI.PermissionDeniedError,
    );
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    // The second picture fails when the first is written.
    const stream = await client.chat.completions.create({
      model: 'refcap-small',
      messages: asking('a', 'bad'),
      stream: true,
    });
    const rest = async () => {
      for await (const _ of stream);
    };
    await expect(rest()).rejects.toThrow('picture 2: this is no picture.');
  });
});

describe('responses', () => {
  it('caption the picture', async () => {
    const { data, response } = await client.responses
      .create({ model: 'refcap-small', input: input('a cat'), instructions: 'Be brief.' })
      .withResponse();
    expect(data.output_text).toBe('a cat of seed 0');
    expect(data).toMatchObject({ status: 'completed', usage: { output_tokens: 2 } });
    expect(response.headers.get('refcap-ignored')).toBe('prompt, instructions');
  });

  it('stream it', async () => {
    const stream = client.responses.stream({ model: 'refcap-small', input: input('a cat') });
    const deltas: string[] = [];
    for await (const event of stream)
      if (event.type === 'response.output_text.delta') deltas.push(event.delta);
    expect(deltas).toEqual(['a', ' cat', ' of', ' seed', ' 0']);
    expect((await stream.finalResponse()).output).toMatchObject([
      { role: 'assistant', content: [{ type: 'output_text', text: 'a cat of seed 0' }] },
    ]);
  });

  it('fail in a sentence', async () => {
    const create = client.responses.create({ model: 'refcap-small', input: 'Hello!' });
    await expect(create).rejects.toThrow('There is no picture');
  });
});

describe('bodies', () => {
  it('that are wrong are told by their first field', async () => {
    const headers = { authorization: 'Bearer secret' };
    for (const [path, body, message] of [
      ['/v1/chat/completions', {}, /^messages: /],
      ['/v1/chat/completions', { messages: [{ content: 3 }] }, /^messages\.0\.content: /],
      ['/v1/responses', { input: [], temperature: 3 }, /^temperature: /],
    ] as const) {
      const response = await server.send(path, json(body, headers));
      const { error } = errorAnswerSchema.parse(await response.json());
      expect([response.status, error.message]).toEqual([400, expect.stringMatching(message)]);
    }
  });
});
